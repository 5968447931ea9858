// FSSTAT, FSINFO, PATHCONF, and what stands between a handle and its file.
#include "storage/ns/types.h"
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

class ExportRules : public Nfs3Test {
 protected:
  Status getattr(const std::string& h) { return call(kGetattr, Args().fh(h)).nfs(); }
  /// Replaces the export.
  ExportPtr change(const std::function<void(Export&)>& how) {
    EXPECT_TRUE(exports.remove("/datasets"));
    return add_export("/datasets", "b", how);
  }
};

TEST_F(ExportRules, Fsinfo) {
  Reply reply = call(kFsinfo, Args().fh(root_handle()));
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_TRUE(read_post_op(reply.in));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reply.in.u32(), 1U << 20);
    EXPECT_EQ(reply.in.u32(), 1U << 20);
    EXPECT_EQ(reply.in.u32(), 4096U);
  }
  EXPECT_EQ(reply.in.u32(), 65536U);
  EXPECT_EQ(reply.in.u64(), ns::kMaxObjectBytes);
  EXPECT_EQ(reply.in.u64(), 1U) << "nanoseconds";
  EXPECT_EQ(reply.in.u32(), 0x1BU);
  EXPECT_TRUE(reply.in.done());
}

TEST_F(ExportRules, Pathconf) {
  Reply reply = call(kPathconf, Args().fh(root_handle()));
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_TRUE(read_post_op(reply.in));
  EXPECT_EQ(reply.in.u32(), ns::kMaxLinks);
  EXPECT_EQ(reply.in.u32(), 255U);
  for (const bool expected : {true, true, false, true}) {
    EXPECT_EQ(reply.in.boolean(), expected);
  }
  EXPECT_TRUE(reply.in.done());
}

TEST_F(ExportRules, Fsstat) {
  make_file("f", std::string(1000, 'x'));
  Reply reply = call(kFsstat, Args().fh(root_handle()));
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_TRUE(read_post_op(reply.in));
  const ns::FileSystemSpace space = must(files.space(root));
  for (const std::uint64_t expected : {space.total_bytes, space.free_bytes, space.free_bytes,
                                       space.files, space.free_files, space.free_files}) {
    EXPECT_EQ(reply.in.u64(), expected);
  }
  EXPECT_EQ(space.total_bytes - space.free_bytes, 1000U);
  EXPECT_EQ(reply.in.u32(), 0U);
  EXPECT_TRUE(reply.in.done());
  files.fail_next("space", Errc::unavailable);
  EXPECT_EQ(call(kFsstat, Args().fh(root_handle())).nfs(), Status::io);
}

TEST_F(ExportRules, HandlesAreNotMadeUp) {
  for (std::size_t i = 0; i < kHandleBytes; ++i) {
    std::string forged = root_handle();
    forged[i] = static_cast<char>(forged[i] ^ 1);
    EXPECT_EQ(getattr(forged), Status::badhandle) << i;
  }
  EXPECT_EQ(getattr(""), Status::badhandle);
  EXPECT_EQ(getattr(root_handle().substr(1)), Status::badhandle);
  EXPECT_EQ(getattr(std::string(64, 'x')), Status::badhandle);
  EXPECT_EQ(call(kGetattr, Args().fh(std::string(65, 'x'))).accepted,
            AcceptStatus::garbage_arguments);
  EXPECT_EQ(getattr(handle({0, 1})), Status::badhandle) << "of the pseudo file system of NFSv4";
}

TEST_F(ExportRules, TheExportMustBeThere) {
  EXPECT_EQ(getattr(handle({root, root}, 99)), Status::stale);
  EXPECT_EQ(getattr(root_handle()), Status::ok);
  ASSERT_TRUE(exports.remove("/datasets"));
  EXPECT_EQ(getattr(root_handle()), Status::stale);
  const ExportPtr again = add_export("/datasets", "b");
  EXPECT_EQ(getattr(root_handle()), Status::stale) << "under another id";
  EXPECT_EQ(getattr(handle({root, root}, again->id)), Status::ok);
}

TEST_F(ExportRules, TheInodeMustLieInTheExportsBucket) {
  const InodeId other = files.add_bucket("other");
  EXPECT_EQ(getattr(handle({other, other})), Status::stale);
  EXPECT_EQ(getattr(handle({root, other})), Status::stale);
  files.drop_bucket("b");
  EXPECT_EQ(getattr(root_handle()), Status::stale);
  const InodeId anew = files.add_bucket("b");
  EXPECT_EQ(getattr(root_handle()), Status::stale);
  EXPECT_EQ(getattr(handle({anew, anew})), Status::ok);
  files.drop_bucket("b");
  EXPECT_EQ(getattr(handle({other, other})), Status::stale) << "no bucket at all";
}

TEST_F(ExportRules, AnIdThatMovedToAnotherBucketOpensNothingOfTheOld) {
  const InodeId other = files.add_bucket("other");
  EXPECT_EQ(getattr(root_handle()), Status::ok);
  ASSERT_TRUE(exports.remove("/datasets"));
  add_export("/other", "other", [](Export& e) { e.id = 1; });
  EXPECT_EQ(getattr(root_handle()), Status::stale);
  EXPECT_EQ(getattr(handle({other, other})), Status::ok);
}

TEST_F(ExportRules, OnlyItsClients) {
  peer.address = boost::asio::ip::make_address("11.1.2.3");
  Reply reply = call(kAccess, Args().fh(root_handle()).u32(1));
  EXPECT_EQ(reply.nfs(), Status::acces);
  EXPECT_FALSE(read_post_op(reply.in)) << "and they learn nothing";
  EXPECT_TRUE(reply.in.done());
}

TEST_F(ExportRules, TransportSecurity) {
  const ExportPtr tls = change([](Export& e) { e.security = TransportSecurity::tls; });
  const std::string h = handle({root, root}, tls->id);
  EXPECT_EQ(getattr(h), Status::acces);
  peer.tls = true;
  EXPECT_EQ(getattr(h), Status::ok);
  const ExportPtr mtls = change([](Export& e) { e.security = TransportSecurity::mtls; });
  const std::string strict = handle({root, root}, mtls->id);
  EXPECT_EQ(getattr(strict), Status::acces);
  peer.tls_name = "CN=client";
  EXPECT_EQ(getattr(strict), Status::ok);
}

TEST_F(ExportRules, RootIsSquashedUnlessTheExportSaysOtherwise) {
  const ns::FileId closed = make_file("closed", "x", 5, 0000);
  who.uid = who.gid = 0;
  EXPECT_EQ(call(kRead, Args().fh(handle(closed)).u64(0).u32(1)).nfs(), Status::acces);
  const ExportPtr trusting = change([](Export& e) { e.squash = Squash::none; });
  const std::string h = handle(closed, trusting->id);
  EXPECT_EQ(call(kRead, Args().fh(h).u64(0).u32(1)).nfs(), Status::ok);
  ns::SetAttributes give;
  give.uid = 7;
  EXPECT_EQ(call(kSetattr, Args().fh(h).sattr(give).u32(0)).nfs(), Status::ok);
  EXPECT_EQ(stat(closed).uid, 7U);
}

TEST_F(ExportRules, NobodyAndAllSquashed) {
  const ns::FileId mine = make_file("mine", "x", 1000, 0600);
  const Args read = Args().fh(handle(mine)).u64(0).u32(1);
  EXPECT_EQ(call(kRead, read).nfs(), Status::ok);
  who = {};
  EXPECT_EQ(call(kRead, read).nfs(), Status::acces) << "AUTH_NONE is the anonymous user";
  who.flavor = AuthFlavor::sys;
  who.uid = 1000;
  const ExportPtr all = change([](Export& e) { e.squash = Squash::all; });
  EXPECT_EQ(call(kRead, Args().fh(handle(mine, all->id)).u64(0).u32(1)).nfs(), Status::acces);
}

TEST_F(ExportRules, ReadOnlyExportsRefuseEveryChange) {
  const ns::FileId file = make_file("f", "x");
  const ExportPtr read_only = change([](Export& e) { e.read_only = true; });
  const std::string h = handle(file, read_only->id);
  const std::string top = handle({root, root}, read_only->id);
  const std::vector<std::pair<std::uint32_t, Args>> calls{
      {kSetattr, Args().fh(h).sattr(mode(0600)).u32(0)},
      {kWrite, Args().fh(h).u64(0).u32(1).u32(0).text("y")},
      {kCreate, Args().fh(top).text("f").u32(0).sattr()},
      {kMkdir, Args().fh(top).text("d").sattr()},
      {kSymlink, Args().fh(top).text("l").sattr().text("t")},
      {kMknod, Args().fh(top).text("n").u32(7).sattr()},
      {kRemove, Args().fh(top).text("f")},
      {kRmdir, Args().fh(top).text("f")},
      {kRename, Args().fh(top).text("f").fh(top).text("g")},
      {kLink, Args().fh(h).fh(top).text("g")},
  };
  std::size_t writing = 0;
  for (const Op& op : ops()) {
    writing += op.writes ? 1 : 0;
  }
  EXPECT_EQ(calls.size(), writing) << "all of them";
  for (const auto& [procedure, args] : calls) {
    EXPECT_EQ(call(procedure, args).nfs(), Status::rofs) << procedure_name(procedure);
  }
  EXPECT_EQ(content(file), "x");
  Reply access = call(kAccess, Args().fh(h).u32(0x3F));
  read_post_op(access.in);
  EXPECT_EQ(access.in.u32(), 0x01U);
  EXPECT_EQ(call(kRead, Args().fh(h).u64(0).u32(1)).nfs(), Status::ok);
  EXPECT_EQ(call(kCommit, Args().fh(h).u64(0).u32(0)).nfs(), Status::ok);
}

TEST_F(ExportRules, OfADirectoryEndAtTheDirectory) {
  const ns::FileId a = make_directory("a");
  const ns::FileId b = make_directory("b", 1000, 0755, a.ino);
  const ns::FileId c = make_directory("c", 1000, 0755, b.ino);
  const ExportPtr part = add_export("/part", "b", [](Export& e) { e.prefix = "a/b"; });
  const auto up = [&](ns::FileId from) {
    Reply reply = call(kLookup, Args().fh(handle(from, part->id)).text(".."));
    return reply.nfs() == Status::ok ? std::string(reply.in.string(64)) : std::string();
  };
  EXPECT_EQ(up(c), handle(b, part->id));
  EXPECT_EQ(up(b), handle(b, part->id)) << "its own parent";
  EXPECT_EQ(up(a), "") << "what lies above is not to be climbed";
  must(files.rename(b, "c", {root, root}, "c"));
  EXPECT_EQ(up(c), "") << "moved out";
  must(files.rename(a, "b", a, "elsewhere"));
  EXPECT_EQ(up(b), "") << "the exported directory itself is gone";
}

TEST_F(ExportRules, TheIdentityOfTheExportIsEnforced) {
  const auto file = make_file("f", "text");
  Rights now;
  exports.decide_rights([&](const Export&) { return now; });
  const auto read = [&] { return call(kRead, Args().fh(handle(file)).u64(0).u32(4)).nfs(); };
  const auto list = [&] {
    return call(kReaddir, Args().fh(root_handle()).u64(0).u64(0).u32(4096)).nfs();
  };
  EXPECT_EQ(read(), Status::ok);
  EXPECT_EQ(list(), Status::ok);
  now = {.read = false, .write = true, .list = true};
  exports.refresh();
  EXPECT_EQ(read(), Status::acces);
  EXPECT_EQ(list(), Status::ok);
  now = {.read = true, .write = true, .list = false};
  exports.refresh();
  EXPECT_EQ(read(), Status::ok);
  EXPECT_EQ(list(), Status::acces);
  EXPECT_EQ(getattr(handle(file)), Status::ok);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
