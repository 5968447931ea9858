// GETATTR, SETATTR, ACCESS, READLINK.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

class Attr : public Nfs3Test {
 protected:
  Status setattr(ns::FileId file, const ns::SetAttributes& set, std::uint32_t times = 0) {
    last = call(kSetattr, Args().fh(handle(file)).sattr(set, times).u32(0));
    return last.nfs();
  }
  Reply last;
};

TEST_F(Attr, GetattrTellsEverything) {
  const ns::FileId file = make_file("f", "hello", 1000, 04755);
  Reply reply = call(kGetattr, Args().fh(handle(file)));
  ASSERT_EQ(reply.nfs(), Status::ok);
  const Attributes a = read_attributes(reply.in);
  EXPECT_TRUE(reply.in.done());
  const ns::FileAttributes is = stat(file);
  EXPECT_EQ(a.type, 1U);
  EXPECT_EQ(a.mode, 04755U);
  EXPECT_EQ(a.links, 1U);
  EXPECT_EQ(a.uid, 1000U);
  EXPECT_EQ(a.gid, 1000U);
  EXPECT_EQ(a.size, 5U);
  EXPECT_EQ(a.used, 5U);
  EXPECT_EQ(a.rdev, 0U);
  EXPECT_EQ(a.fsid, root ^ std::uint64_t{1} << 48);
  EXPECT_EQ(a.fileid, file.ino);
  EXPECT_EQ(a.mtime, static_cast<std::uint64_t>(is.mtime_ns / 1'000'000'000) << 32);
  EXPECT_EQ(a.ctime, static_cast<std::uint64_t>(is.ctime_ns / 1'000'000'000) << 32);
}

TEST_F(Attr, WhatS3MadeBelongsToTheAnonymousUser) {
  const ns::FileId file = must(files.create({root, root}, "s3", {})).attributes.id;
  Reply reply = call(kGetattr, Args().fh(handle(file)));
  const Attributes a = read_attributes(reply.in);
  EXPECT_EQ(a.uid, kNobody);
  EXPECT_EQ(a.gid, kNobody);
}

TEST_F(Attr, TimesStayWithinTheProtocol) {
  const ns::FileId file = make_file("f");
  ns::SetAttributes set;
  set.atime_ns = -5'000'000'001;
  set.mtime_ns = INT64_MAX;
  must(files.set_attributes(file, set));
  Reply reply = call(kGetattr, Args().fh(handle(file)));
  const Attributes a = read_attributes(reply.in);
  EXPECT_EQ(a.atime, 0U);
  EXPECT_EQ(a.mtime >> 32, UINT32_MAX);
}

TEST_F(Attr, SetattrSetsAndAnswersWithTheNewAttributes) {
  const ns::FileId file = make_file("f", "hello");
  ns::SetAttributes set = mode(0600);
  set.size = 2;
  set.mtime_ns = 7'000'000'009;
  ASSERT_EQ(setattr(file, set), Status::ok);
  const WccData wcc = read_wcc(last.in);
  EXPECT_TRUE(last.in.done());
  ASSERT_TRUE(wcc.after);
  EXPECT_EQ(wcc.after->mode, 0600U);
  EXPECT_EQ(wcc.after->size, 2U);
  EXPECT_EQ(wcc.after->mtime, (std::uint64_t{7} << 32) + 9);
  EXPECT_EQ(content(file), "he");
}

TEST_F(Attr, GuardComparesTheChangeTime) {
  const ns::FileId file = make_file("f");
  const auto guarded = [&](std::int64_t ctime) {
    Args args;
    args.fh(handle(file)).sattr(mode(0600)).u32(1);
    args.u32(static_cast<std::uint32_t>(ctime / 1'000'000'000)).u32(0);
    return call(kSetattr, args);
  };
  Reply refused = guarded(stat(file).ctime_ns - 1'000'000'000);
  EXPECT_EQ(refused.nfs(), Status::not_sync);
  EXPECT_EQ(read_wcc(refused.in).after->mode, 0644U) << "attributes also with errors";
  EXPECT_EQ(guarded(stat(file).ctime_ns).nfs(), Status::ok);
}

TEST_F(Attr, OnlyTheOwnerChangesModes) {
  const ns::FileId file = make_file("f", {}, 5, 0666);
  EXPECT_EQ(setattr(file, mode(0600)), Status::perm);
  EXPECT_EQ(setattr(file, size(3)), Status::ok) << "the mode lets everybody write";
  EXPECT_EQ(setattr(file, {}, 1), Status::ok) << "times to now, as who may write may";
  ns::SetAttributes time;
  time.mtime_ns = 1'000'000'000;
  EXPECT_EQ(setattr(file, time), Status::perm);
  const ns::FileId closed = make_file("g", {}, 5, 0644);
  EXPECT_EQ(setattr(closed, size(3)), Status::acces);
  EXPECT_EQ(setattr(closed, {}, 1), Status::acces);
}

TEST_F(Attr, ChangingOwners) {
  const ns::FileId file = make_file("f", {}, 1000, 06755);
  ns::SetAttributes give;
  give.uid = 5;
  EXPECT_EQ(setattr(file, give), Status::perm);
  who.groups = {77};
  ns::SetAttributes group;
  group.gid = 77;
  EXPECT_EQ(setattr(file, group), Status::ok);
  EXPECT_EQ(stat(file).gid, 77U);
  EXPECT_EQ(stat(file).mode, 0755U) << "set-id bits go with the group";
  group.gid = 78;
  EXPECT_EQ(setattr(file, group), Status::perm);
  who.uid = 0;
  EXPECT_EQ(setattr(file, give), Status::perm) << "root is squashed";
}

TEST_F(Attr, TruncatingTakesSetIdFromOthersFiles) {
  const ns::FileId file = make_file("f", "x", 5, 06777);
  EXPECT_EQ(setattr(file, size(0)), Status::ok);
  EXPECT_EQ(stat(file).mode, 0777U);
}

TEST_F(Attr, SizesOfWhatHasNone) {
  EXPECT_EQ(setattr({root, root}, size(0)), Status::isdir);
  const ns::FileId file = make_file("f");
  EXPECT_EQ(setattr(file, size(UINT64_MAX)), Status::fbig);
}

TEST_F(Attr, BadTimesAreGarbage) {
  Args args;
  args.fh(root_handle()).u32(0).u32(0).u32(0).u32(0).u32(2).u32(1).u32(1'000'000'000).u32(0).u32(0);
  EXPECT_EQ(call(kSetattr, args).accepted, AcceptStatus::garbage_arguments);
  EXPECT_EQ(seen.back().status, UINT32_MAX);
}

TEST_F(Attr, AccessSaysWhatTheModeBitsSay) {
  const auto access = [&](ns::FileId file, std::uint32_t asked = 0x3F) {
    Reply reply = call(kAccess, Args().fh(handle(file)).u32(asked));
    EXPECT_EQ(reply.nfs(), Status::ok);
    EXPECT_TRUE(read_post_op(reply.in));
    const std::uint32_t bits = reply.in.u32();
    EXPECT_TRUE(reply.in.done());
    return bits;
  };
  EXPECT_EQ(access({root, root}), 0x1FU) << "all but execute";
  EXPECT_EQ(access(make_file("w", {}, 1000, 0200)), 0x0CU);
  EXPECT_EQ(access(make_file("x", {}, 5, 0001)), 0x20U);
  EXPECT_EQ(access(make_file("r", {}, 5, 0744), 0x05), 0x01U) << "only what was asked for";
  EXPECT_EQ(access(make_file("n", {}, 1000, 0000)), 0U) << "owners are not above their modes here";
  EXPECT_EQ(access(make_directory("d", 5, 0733)), 0x1EU);
}

TEST_F(Attr, Readlink) {
  const ns::FileId link = must(files.make_symlink({root, root}, "l", "to/where", {})).attributes.id;
  Reply reply = call(kReadlink, Args().fh(handle(link)));
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_EQ(read_post_op(reply.in)->type, 5U);
  EXPECT_EQ(reply.in.string(100), "to/where");
  EXPECT_TRUE(reply.in.done());
  Reply not_one = call(kReadlink, Args().fh(root_handle()));
  EXPECT_EQ(not_one.nfs(), Status::inval);
  EXPECT_TRUE(read_post_op(not_one.in));
}

TEST_F(Attr, ErrorsOfTheStore) {
  const ns::FileId file = make_file("f");
  struct Case {
    Errc code;
    Status status;
  };
  for (const Case& c :
       {Case{Errc::io_error, Status::io}, Case{Errc::corrupt, Status::io},
        Case{Errc::overloaded, Status::jukebox}, Case{Errc::no_space, Status::nospc},
        Case{Errc::quota_exceeded, Status::dquot}, Case{Errc::read_only, Status::rofs},
        Case{Errc::stale, Status::stale}, Case{Errc::internal, Status::serverfault}}) {
    files.fail_next("set_attributes", c.code);
    EXPECT_EQ(setattr(file, mode(0600)), c.status) << to_string(c.code);
  }
  files.fail_next("get_attributes", Errc::unavailable);
  EXPECT_EQ(call(kGetattr, Args().fh(handle(file))).nfs(), Status::io);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
