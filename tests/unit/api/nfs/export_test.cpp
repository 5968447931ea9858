// Address blocks and the table of exports.
#include "api/nfs/export.h"

#include <gtest/gtest.h>

#include <thread>

namespace outcrop::nfs {
namespace {

boost::asio::ip::address address(const char* text) { return boost::asio::ip::make_address(text); }

Export sample(std::string path) {
  Export e;
  e.path = std::move(path);
  e.bucket = "demo";
  e.clients = {*parse_cidr("127.0.0.0/8")};
  return e;
}

TEST(Cidr, Contains) {
  const auto in = [](const char* block, const char* a) {
    return parse_cidr(block)->contains(address(a));
  };
  EXPECT_TRUE(in("10.1.0.0/16", "10.1.255.255"));
  EXPECT_FALSE(in("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(in("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(in("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(in("10.1.2.0/23", "10.1.3.9"));
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(in("::/0", "203.0.113.9"));
  EXPECT_TRUE(in("fd00::/8", "fd12::1"));
  EXPECT_FALSE(in("fd00::/8", "fe80::1"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.9.9.9"));
  EXPECT_TRUE(in("::ffff:10.0.0.0/104", "10.9.9.9"));
}

TEST(Cidr, HostBitsAreDropped) {
  EXPECT_EQ(parse_cidr("10.1.2.3/16")->to_string(), "10.1.0.0/16");
  EXPECT_EQ(parse_cidr("fd00::1/8")->to_string(), "fd00::/8");
  EXPECT_EQ(parse_cidr("10.1.2.3")->to_string(), "10.1.2.3/32");
}

TEST(Cidr, Refused) {
  for (const char* text : {"", "/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1",
                           "10.0.0.0/8x", "::/129", "host", "10.0.0.0/8/8", "*"}) {
    EXPECT_FALSE(parse_cidr(text)) << text;
  }
}

TEST(Export, NoClientsMeansNobody) {
  Export e = sample("/x");
  EXPECT_TRUE(e.allows(address("127.0.0.1")));
  e.clients.clear();
  EXPECT_FALSE(e.allows(address("127.0.0.1")));
}

TEST(Export, Complaints) {
  EXPECT_EQ(complaint_about(sample("/a/b")), "");
  for (const char* path : {"", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a/."}) {
    EXPECT_TRUE(complaint_about(sample(path)).starts_with("path: ")) << path;
  }
  EXPECT_EQ(complaint_about(sample("/" + std::string(255, 'x'))), "");
  EXPECT_NE(complaint_about(sample("/" + std::string(256, 'x'))), "");
  Export e = sample("/a");
  e.bucket = "";
  EXPECT_TRUE(complaint_about(e).starts_with("bucket: "));
  e = sample("/a");
  e.prefix = "train/";
  EXPECT_TRUE(complaint_about(e).starts_with("prefix: "));
  e.prefix = "train/images";
  EXPECT_EQ(complaint_about(e), "");
  e.clients.resize(kMaxExportClients);
  EXPECT_EQ(complaint_about(e), "");
  e.clients.resize(kMaxExportClients + 1);
  EXPECT_TRUE(complaint_about(e).starts_with("clients: "));
}

TEST(ExportTable, AddFindRemove) {
  ExportTable table;
  const ExportPtr b = table.add(sample("/b")).value();
  const ExportPtr a = table.add(sample("/a")).value();
  EXPECT_NE(a->id, b->id);
  EXPECT_NE(a->id, 0);
  ASSERT_EQ(table.list()->size(), 2u);
  EXPECT_EQ(table.list()->front(), a);
  EXPECT_EQ(table.find(a->id), a);
  EXPECT_EQ(table.find("/b"), b);
  EXPECT_EQ(table.find("/c"), nullptr);
  EXPECT_EQ(table.add(sample("/a")).error().code(), Errc::already_exists);
  const ExportListPtr before = table.list();
  EXPECT_TRUE(table.remove("/a").has_value());
  EXPECT_EQ(before->size(), 2u);  // readers keep what they have
  EXPECT_EQ(table.find(a->id), nullptr);
  EXPECT_EQ(table.remove("/a").error().code(), Errc::not_found);
  const ExportPtr again = table.add(sample("/a")).value();
  EXPECT_NE(again->id, a->id);
  EXPECT_NE(again->id, b->id);
}

TEST(ExportTable, GivenIds) {
  ExportTable table;
  Export e = sample("/a");
  e.id = 9;
  EXPECT_EQ(table.add(e).value()->id, 9);
  e.path = "/b";
  EXPECT_EQ(table.add(e).error().code(), Errc::already_exists);
  EXPECT_EQ(table.add(sample("/c")).value()->id, 10);
  e.path = "/last";
  e.id = UINT16_MAX;
  EXPECT_TRUE(table.add(e).has_value());
  EXPECT_EQ(table.add(sample("/none left")).error().code(), Errc::no_space);
}

TEST(ExportTable, ExportsDoNotNest) {
  ExportTable table;
  EXPECT_TRUE(table.add(sample("/a/b")).has_value());
  EXPECT_EQ(table.add(sample("/a")).error().code(), Errc::invalid_argument);
  EXPECT_EQ(table.add(sample("/a/b/c")).error().code(), Errc::invalid_argument);
  EXPECT_TRUE(table.add(sample("/a/bc")).has_value());
}

TEST(ExportTable, Limit) {
  ExportTable table;
  for (std::size_t i = 0; i < kMaxExports; ++i) {
    ASSERT_TRUE(table.add(sample("/e" + std::to_string(i))).has_value());
  }
  EXPECT_EQ(table.add(sample("/more")).error().code(), Errc::invalid_argument);
}

TEST(ExportTable, AnyAllows) {
  ExportTable table;
  EXPECT_FALSE(table.any_allows(address("127.0.0.1")));
  ASSERT_TRUE(table.add(sample("/a")).has_value());
  EXPECT_TRUE(table.any_allows(address("127.0.0.1")));
  EXPECT_FALSE(table.any_allows(address("10.0.0.1")));
}

TEST(ExportTable, OtherThreadsSeeChangesAndOtherTablesAreNotMixedUp) {
  ExportTable one, two;
  const ExportPtr a = one.add(sample("/a")).value();
  EXPECT_EQ(one.find(a->id), a);
  EXPECT_EQ(two.find(a->id), nullptr);
  std::thread remover([&] { EXPECT_TRUE(one.remove("/a").has_value()); });
  remover.join();
  EXPECT_EQ(one.find(a->id), nullptr);
}

TEST(ExportTable, RightsAreDecidedForEveryExportAndFollowChanges) {
  ExportTable table;
  ASSERT_TRUE(table.add(sample("/a")));
  EXPECT_EQ(table.find("/a")->rights, Rights{});
  Rights now{.read = true, .write = false, .list = false};
  unsigned asked = 0;
  table.decide_rights([&](const Export& e) {
    ++asked;
    return e.path == "/a" ? now : Rights{};
  });
  EXPECT_EQ(table.find("/a")->rights, now);
  EXPECT_EQ(asked, 1U);
  ASSERT_TRUE(table.add(sample("/b")));
  EXPECT_EQ(table.find("/b")->rights, Rights{});
  const ExportPtr kept = table.find("/a");
  table.refresh();
  EXPECT_EQ(table.find("/a"), kept);  // nothing changed, nothing is published
  now = {.read = false, .write = false, .list = false};
  table.refresh();
  EXPECT_EQ(table.find("/a")->rights, now);
  EXPECT_EQ(table.find(kept->id)->rights, now);
  EXPECT_EQ(table.find("/a")->id, kept->id);
}

}  // namespace
}  // namespace outcrop::nfs
