// The MOUNT protocol.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

enum MountProcedure : std::uint32_t { kMnt = 1, kDump, kUmnt, kUmntAll, kExport };

class Mount : public Nfs3Test {
 protected:
  std::uint32_t status(std::string_view path) {
    last = mount_call(kMnt, Args().text(path));
    return last.status;
  }
  std::string mount(std::string_view path) {
    EXPECT_EQ(status(path), 0U) << path;
    const std::string h(last.in.string(64));
    EXPECT_EQ(last.in.u32(), 2U);
    EXPECT_EQ(last.in.u32(), 1U) << "AUTH_SYS";
    EXPECT_EQ(last.in.u32(), 0U) << "AUTH_NONE";
    EXPECT_TRUE(last.in.done());
    return h;
  }
  std::vector<std::pair<std::string, std::string>> dump() {
    Reply reply = mount_call(kDump);
    std::vector<std::pair<std::string, std::string>> out;
    while (reply.in.boolean()) {
      const std::string host(reply.in.string(255));
      out.emplace_back(host, reply.in.string(1024));
    }
    EXPECT_TRUE(reply.in.done());
    return out;
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> exported() {
    Reply reply = mount_call(kExport);
    std::vector<std::pair<std::string, std::vector<std::string>>> out;
    while (reply.in.boolean()) {
      out.emplace_back(reply.in.string(1024), std::vector<std::string>{});
      while (reply.in.boolean()) {
        out.back().second.emplace_back(reply.in.string(255));
      }
    }
    EXPECT_TRUE(reply.in.done());
    return out;
  }
  void from(const char* address) { peer.address = boost::asio::ip::make_address(address); }
  Reply last;
};

TEST_F(Mount, AnExportAndWhatLiesBelow) {
  const ns::FileId sub = make_directory("sub");
  const ns::FileId deep = make_directory("deep", 1000, 0755, sub.ino);
  EXPECT_EQ(mount("/datasets"), root_handle());
  EXPECT_EQ(mount("/datasets/"), root_handle());
  EXPECT_EQ(mount("//datasets/./"), root_handle());
  EXPECT_EQ(mount("/datasets/sub"), handle(sub));
  EXPECT_EQ(mount("/datasets/sub/deep"), handle(deep));
}

TEST_F(Mount, OfAPrefix) {
  const ns::FileId a = make_directory("a");
  const ns::FileId b = make_directory("b", 1000, 0755, a.ino);
  const ExportPtr part = add_export("/deep/part", "b", [](Export& e) { e.prefix = "a"; });
  EXPECT_EQ(mount("/deep/part"), handle(a, part->id));
  EXPECT_EQ(mount("/deep/part/b"), handle(b, part->id));
  must(files.rename({root, root}, "a", {root, root}, "z"));
  EXPECT_EQ(status("/deep/part"), 2U);
}

TEST_F(Mount, WhatIsNotThere) {
  make_file("file");
  for (const char* path : {"/", "", "datasets", "/datasetsx", "/data", "/datasets/absent",
                           "/datasets/file", "/datasets/../datasets", "/x/datasets"}) {
    EXPECT_EQ(status(path), 2U) << path;
    EXPECT_TRUE(last.in.done());
  }
  EXPECT_EQ(status(std::string_view("/datasets\0", 10)), 2U);
  std::string longest = "/datasets";
  longest.append(kMaxMountPath - longest.size(), '/');
  EXPECT_EQ(status(longest), 0U);
  EXPECT_EQ(status(longest + "/"), 63U);
  std::string deep = "/datasets";
  for (int i = 0; i < 256; ++i) {
    deep += "/a";
  }
  EXPECT_EQ(status(deep), 2U);
  files.drop_bucket("b");
  EXPECT_EQ(status("/datasets"), 2U);
}

TEST_F(Mount, OnlyForItsClients) {
  from("192.168.0.1");
  EXPECT_EQ(status("/datasets"), 13U);
  EXPECT_EQ(status("/datasets/sub"), 13U) << "nothing is said of what lies below";
  EXPECT_EQ(status("/other"), 2U);
  from("10.1.2.3");
  add_export("/secret", "b", [](Export& e) { e.security = TransportSecurity::tls; });
  EXPECT_EQ(status("/secret"), 13U);
  peer.tls = true;
  EXPECT_EQ(status("/secret"), 0U);
}

TEST_F(Mount, ErrorsOfTheStore) {
  files.fail_next(Errc::unavailable);
  EXPECT_EQ(status("/datasets"), 5U);
  files.fail_next(Errc::overloaded);
  EXPECT_EQ(status("/datasets"), 10006U);
}

TEST_F(Mount, ExportsThatTheClientMayMount) {
  add_export("/elsewhere", "b", [](Export& e) { e.clients = {*parse_cidr("192.168.0.0/16")}; });
  add_export("/both", "b", [](Export& e) { e.clients.push_back(*parse_cidr("fd00::/8")); });
  const auto seen_here = exported();
  ASSERT_EQ(seen_here.size(), 2U);
  EXPECT_EQ(seen_here[0].first, "/both");
  EXPECT_EQ(seen_here[0].second, (std::vector<std::string>{"10.0.0.0/8", "fd00::/8"}));
  EXPECT_EQ(seen_here[1].first, "/datasets");
  from("fd00::1");
  EXPECT_EQ(exported().size(), 1U);
  from("172.16.0.1");
  EXPECT_TRUE(exported().empty());
}

TEST_F(Mount, ListOfMounts) {
  make_directory("sub");
  mount("/datasets");
  mount("/datasets");
  mount("/datasets/sub/");
  EXPECT_EQ(dump().size(), 2U) << "once each";
  from("10.9.9.9");
  EXPECT_TRUE(dump().empty()) << "others' mounts are none of its business";
  mount("/datasets");
  from("127.0.0.1");
  EXPECT_EQ(dump().size(), 3U);
  from("10.1.2.3");
  EXPECT_EQ(mount_call(kUmnt, Args().text("/datasets/sub")).accepted, AcceptStatus::success);
  EXPECT_EQ(dump(), (std::vector<std::pair<std::string, std::string>>{{"10.1.2.3", "/datasets"}}));
  mount_call(kUmntAll);
  EXPECT_TRUE(dump().empty());
  from("10.9.9.9");
  EXPECT_EQ(dump().size(), 1U);
}

TEST_F(Mount, TheListIsBounded) {
  add_export("/v6", "b", [](Export& e) { e.clients = {*parse_cidr("fd00::/8")}; });
  for (std::size_t i = 0; i <= kMaxMountList; ++i) {
    from(("fd00::" + std::to_string(1000 + i)).c_str());
    ASSERT_EQ(status("/v6"), 0U);
  }
  from("127.0.0.1");
  const auto all = dump();
  ASSERT_EQ(all.size(), kMaxMountList);
  EXPECT_EQ(all.front().first, "fd00::1001") << "the oldest is forgotten";
}

TEST_F(Mount, Garbage) {
  EXPECT_EQ(mount_call(kMnt).accepted, AcceptStatus::garbage_arguments);
  EXPECT_EQ(mount_call(kMnt, Args().text("/datasets").u32(0)).accepted,
            AcceptStatus::garbage_arguments);
  for (const std::uint32_t procedure : {kDump, kUmntAll, kExport}) {
    EXPECT_EQ(mount_call(procedure, Args().u32(0)).accepted, AcceptStatus::garbage_arguments);
  }
  EXPECT_EQ(mount_call(6).accepted, AcceptStatus::procedure_unavailable);
  EXPECT_EQ(mount_call(0).accepted, AcceptStatus::success);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
