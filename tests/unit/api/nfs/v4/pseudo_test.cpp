// The pseudo file system and the checks of exports.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using Pseudo = Nfs4Test;

std::vector<std::string> names(const Nfs4Result& list) {
  std::vector<std::string> out;
  for (const auto& [name, cookie] : list.entries) {
    out.push_back(name);
  }
  std::ranges::sort(out);
  return out;
}

TEST_F(Pseudo, TheRootListsWhatTheClientMayMount) {
  const AttributeSet wanted{Attribute::fileid, Attribute::rdattr_error};
  EXPECT_EQ(names(last(C().putrootfh().readdir(0, wanted))),
            (std::vector<std::string>{"data", "dir", "ro", "tls"}));
  client.peer.address = boost::asio::ip::make_address("10.9.9.9");
  EXPECT_EQ(names(last(C().putrootfh().readdir(0, wanted))),
            (std::vector<std::string>{"data", "dir", "other", "ro", "tls"}));
  client.peer.address = boost::asio::ip::make_address("192.168.1.1");
  EXPECT_EQ(names(last(C().putrootfh().readdir(0, wanted))), std::vector<std::string>{});
}

TEST_F(Pseudo, ReadingGoesOnBehindACookie) {
  std::vector<std::string> all;
  std::uint64_t cookie = 0;
  for (int i = 0; i < 4; ++i) {
    const Nfs4Result page = last(C().putrootfh().readdir(cookie, {}, 1));
    ASSERT_EQ(page.entries.size(), 1U);
    EXPECT_EQ(page.eof, i == 3);
    all.push_back(page.entries[0].first);
    cookie = page.entries[0].second;
    EXPECT_GT(cookie, 2U);
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::string>{"data", "dir", "ro", "tls"}));
}

TEST_F(Pseudo, TheWayDownAndUpAgain) {
  const std::string root = last(C().putrootfh().getfh()).text;
  const std::string dir = handle_of("dir");
  EXPECT_EQ(last(C().walk("dir/sub").op(Op::lookupp).getfh()).text, dir);
  EXPECT_EQ(last(C().putfh(dir).op(Op::lookupp).getfh()).text, root);
  EXPECT_EQ(last(C().walk("data").op(Op::lookupp).getfh()).text, root);
  EXPECT_EQ(status(C().putrootfh().op(Op::lookupp)), Status::noent);
  EXPECT_EQ(last(C().op(Op::putpubfh).getfh()).text, root);
}

TEST_F(Pseudo, NoWayUpLeadsOutOfAnExportedDirectory) {
  const std::string sub = handle_of("dir/sub");
  ASSERT_EQ(status(C().walk("dir/sub").mkdir("in")), Status::ok);
  const std::string in = handle_of("dir/sub/in");
  EXPECT_EQ(last(C().putfh(in).op(Op::lookupp).getfh()).text, sub);
  C move;
  move.walk("data/top/sub").op(Op::savefh);
  ASSERT_EQ(status(move.walk("data").rename("in", "out")), Status::ok);
  EXPECT_EQ(status(C().putfh(in).op(Op::lookupp)), Status::stale);
}

TEST_F(Pseudo, NothingIsMadeInIt) {
  EXPECT_EQ(status(C().putrootfh().mkdir("x")), Status::rofs);
  EXPECT_EQ(status(C().walk("dir").mkdir("x")), Status::rofs);
  EXPECT_EQ(status(C().putrootfh().named(Op::remove, "data")), Status::rofs);
  Nfs4OpenHow how;
  how.create = 1;
  EXPECT_EQ(status(C().putrootfh().open("f", how)), Status::rofs);
  how.create.reset();
  EXPECT_EQ(status(C().putrootfh().open("f", how)), Status::noent);
  EXPECT_EQ(status(C().putrootfh().open("data", how)), Status::isdir);
}

TEST_F(Pseudo, FileSystemsAreToldApart) {
  const AttributeSet wanted{Attribute::fsid, Attribute::fileid, Attribute::mounted_on_fileid,
                            Attribute::mode, Attribute::type};
  const Nfs4Result root = last(C().putrootfh().getattr(wanted));
  const Nfs4Result top = last(C().walk("data").getattr(wanted));
  const Nfs4Result inner = last(C().walk("data/top").getattr(wanted));
  const Nfs4Result other = last(C().walk("dir/sub").getattr(wanted));
  EXPECT_EQ(root.u32(Attribute::type), 2U);
  EXPECT_EQ(root.u32(Attribute::mode), 0555U);
  EXPECT_NE(root.values.at(Attribute::fsid), top.values.at(Attribute::fsid));
  EXPECT_NE(other.values.at(Attribute::fsid), top.values.at(Attribute::fsid));
  EXPECT_EQ(inner.values.at(Attribute::fsid), top.values.at(Attribute::fsid));
  EXPECT_NE(top.u64(Attribute::mounted_on_fileid), top.u64(Attribute::fileid));
  EXPECT_NE(other.u64(Attribute::mounted_on_fileid), other.u64(Attribute::fileid));
  EXPECT_EQ(inner.u64(Attribute::mounted_on_fileid), inner.u64(Attribute::fileid));
}

TEST_F(Pseudo, ItChangesWithTheExports) {
  const AttributeSet wanted{Attribute::change};
  const auto change = [&] { return last(C().putrootfh().getattr(wanted)).u64(Attribute::change); };
  const std::uint64_t before = change();
  EXPECT_EQ(change(), before);
  const std::string dir = handle_of("dir");
  ASSERT_TRUE(exports.remove("/other"));
  EXPECT_GT(change(), before);
  EXPECT_EQ(handle_of("dir"), dir);
  ASSERT_TRUE(exports.remove("/dir/sub"));
  EXPECT_EQ(status(C().putfh(dir)), Status::stale);
}

TEST_F(Pseudo, EveryOperationAsksTheExport) {
  const File file = create("f", "text");
  EXPECT_EQ(status(C().walk("ro/f").read({}, 0, 10)), Status::ok);
  EXPECT_EQ(status(C().walk("ro/f").write({}, 0, "x")), Status::rofs);
  EXPECT_EQ(status(C().walk("ro").mkdir("d")), Status::rofs);
  Nfs4OpenHow how;
  EXPECT_EQ(status(C().walk("ro").open("f", how)), Status::rofs);
  how.access = 1;
  EXPECT_EQ(status(C().walk("ro").open("f", how)), Status::ok);
  client.peer.address = boost::asio::ip::make_address("192.168.1.1");
  EXPECT_EQ(status(C().putfh(file.handle).getfh()), Status::access);
  client.peer.address = boost::asio::ip::make_address("10.0.0.1");
  ASSERT_TRUE(exports.remove("/data"));
  EXPECT_EQ(status(C().putfh(file.handle).getfh()), Status::stale);
}

TEST_F(Pseudo, RootIsSquashedWhereTheExportSaysSo) {
  client.credentials.uid = 0;
  ASSERT_EQ(status(C().walk("dir/sub").mkdir("mine")), Status::ok);
  const AttributeSet wanted{Attribute::owner};
  EXPECT_EQ(last(C().walk("dir/sub/mine").getattr(wanted)).string(Attribute::owner), "65534");
  ASSERT_EQ(status(C().walk("data").mkdir("roots")), Status::ok);
  EXPECT_EQ(last(C().walk("data/roots").getattr(wanted)).string(Attribute::owner), "0");
}

TEST_F(Pseudo, AnExportThatWantsTlsAnswersWrongsec) {
  EXPECT_EQ(status(C().walk("tls")), Status::wrongsec);
  const Nfs4Result flavors = last(C().putrootfh().named(Op::secinfo, "tls"));
  EXPECT_EQ(flavors.status, Status::ok);
  EXPECT_EQ(flavors.numbers, (std::vector<std::uint64_t>{1, 0}));
  client.peer.tls = true;
  const std::string handle = handle_of("tls");
  EXPECT_FALSE(handle.empty());
  client.peer.tls = false;
  EXPECT_EQ(status(C().putfh(handle)), Status::ok);
  EXPECT_EQ(status(C().putfh(handle).getattr({Attribute::type})), Status::wrongsec);
  EXPECT_EQ(client.call(C().putfh(handle).getattr({Attribute::type})).last().op,
            static_cast<std::uint32_t>(Op::putfh));
  EXPECT_EQ(status(C().putfh(handle).lookup("top")), Status::wrongsec);
  C no_name;
  no_name.putfh(handle).op(Op::secinfo_no_name).out.u32(0);
  EXPECT_EQ(status(no_name), Status::ok);
  Nfs4OpenHow how;
  how.create = 0;
  const Nfs4Reply opened = client.call(C().putfh(handle).open("f", how));
  EXPECT_EQ(opened.status, Status::wrongsec);
  EXPECT_EQ(opened.last().op, static_cast<std::uint32_t>(Op::open));
  EXPECT_EQ(status(C().putfh(handle).op(Op::savefh).open("f", how)), Status::wrongsec);
  client.peer.tls = true;
  const std::string top = handle_of("tls/top");
  const std::string sub = handle_of("tls/top/sub");
  client.peer.tls = false;
  EXPECT_EQ(status(C().putfh(sub).op(Op::lookupp)), Status::wrongsec);
  EXPECT_EQ(status(C().putfh(handle).op(Op::lookupp).getfh()), Status::ok);  // the pseudo root
  EXPECT_EQ(status(C().putfh(top).op(Op::savefh).walk("data").rename("a", "b")), Status::wrongsec);
  C kept;
  kept.putfh(handle).op(Op::savefh);
  EXPECT_EQ(status(kept.getfh()), Status::wrongsec);
}

TEST_F(Pseudo, SecinfoConsumesTheFilehandle) {
  EXPECT_EQ(status(C().putrootfh().named(Op::secinfo, "data").getfh()), Status::nofilehandle);
  EXPECT_EQ(status(C().walk("data").named(Op::secinfo, "absent")), Status::noent);
  C parent;
  parent.putrootfh().op(Op::secinfo_no_name).out.u32(1);
  EXPECT_EQ(status(parent), Status::noent);
  C current;
  current.walk("data").op(Op::secinfo_no_name).out.u32(0);
  EXPECT_EQ(status(current.getfh()), Status::nofilehandle);
}

TEST_F(Pseudo, AnExportWithoutItsDirectoryIsStale) {
  ASSERT_EQ(status(C().walk("data/top").named(Op::remove, "sub")), Status::ok);
  EXPECT_EQ(status(C().walk("dir/sub")), Status::stale);
  EXPECT_EQ(last(C().walk("dir").readdir(0, {Attribute::type})).status, Status::stale);
  const Nfs4Result list = last(C().walk("dir").readdir(0, {Attribute::rdattr_error}));
  ASSERT_EQ(list.entry_values.size(), 1U);
  EXPECT_EQ(list.entry_values[0].at(Attribute::rdattr_error), std::string("\0\0\0\x46", 4));
}

}  // namespace
}  // namespace outcrop::test
