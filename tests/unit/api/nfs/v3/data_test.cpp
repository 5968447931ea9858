// READ, WRITE, COMMIT.
#include "storage/ns/types.h"
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

enum Stable : std::uint32_t { kUnstable, kDataSync, kFileSync };

class Data : public Nfs3Test {
 protected:
  Reply read(ns::FileId file, std::uint64_t offset, std::uint32_t count) {
    return call(kRead, Args().fh(handle(file)).u64(offset).u32(count));
  }
  Reply write(ns::FileId file, std::uint64_t offset, std::string_view data, std::uint32_t how) {
    Args args;
    args.fh(handle(file)).u64(offset).u32(static_cast<std::uint32_t>(data.size())).u32(how);
    return call(kWrite, args.text(data));
  }
  struct Written {
    WccData wcc;
    std::uint32_t count, committed;
    std::uint64_t verifier;
  };
  Written ok(Reply reply) {
    EXPECT_EQ(reply.nfs(), Status::ok);
    Written w;
    w.wcc = read_wcc(reply.in);
    w.count = reply.in.u32();
    w.committed = reply.in.u32();
    w.verifier = reply.in.u64();
    EXPECT_TRUE(reply.in.done());
    return w;
  }
};

TEST_F(Data, Read) {
  const ns::FileId file = make_file("f", "0123456789");
  Reply reply = read(file, 2, 5);
  ASSERT_EQ(reply.nfs(), Status::ok);
  EXPECT_EQ(read_post_op(reply.in)->size, 10U);
  EXPECT_EQ(reply.in.u32(), 5U);
  EXPECT_FALSE(reply.in.boolean());
  EXPECT_EQ(reply.in.string(100), "23456");
  EXPECT_TRUE(reply.in.done());
  EXPECT_EQ(seen.back().operation, kRead);
  EXPECT_EQ(seen.back().bytes_out, reply.bytes->size());
}

TEST_F(Data, ReadAtTheEnd) {
  const ns::FileId file = make_file("f", "0123456789");
  for (const auto& [offset, text] : {std::pair<std::uint64_t, std::string_view>{8, "89"},
                                     {10, ""},
                                     {11, ""},
                                     {UINT64_MAX, ""}}) {
    Reply reply = read(file, offset, 100);
    ASSERT_EQ(reply.nfs(), Status::ok);
    read_post_op(reply.in);
    EXPECT_EQ(reply.in.u32(), text.size());
    EXPECT_TRUE(reply.in.boolean()) << offset;
    EXPECT_EQ(reply.in.string(100), text);
  }
}

TEST_F(Data, ReadsAreCutAtTheLimit) {
  const ns::FileId file = make_file("f");
  must(files.write(file, 0, {Buffer::zeroed(ns::kMaxWriteBytes)}, true));
  must(files.write(file, ns::kMaxWriteBytes, {Buffer::zeroed(3)}, true));
  for (const std::uint32_t count : {1U << 20, (1U << 20) + 1, UINT32_MAX}) {
    Reply reply = read(file, 0, count);
    read_post_op(reply.in);
    EXPECT_EQ(reply.in.u32(), 1U << 20);
    EXPECT_FALSE(reply.in.boolean());
    EXPECT_EQ(reply.in.opaque(1 << 20).size(), 1U << 20);
    EXPECT_TRUE(reply.in.done());
  }
}

TEST_F(Data, WhoMayRead) {
  EXPECT_EQ(read(make_file("theirs", "x", 5, 0600), 0, 1).nfs(), Status::acces);
  EXPECT_EQ(read(make_file("mine", "x", 1000, 0000), 0, 1).nfs(), Status::ok)
      << "what the owner has opened";
  EXPECT_EQ(read(make_file("program", "x", 5, 0711), 0, 1).nfs(), Status::ok)
      << "who may execute must read";
  EXPECT_EQ(read({root, root}, 0, 1).nfs(), Status::isdir);
  const ns::FileId link = must(files.make_symlink({root, root}, "l", "t", {})).attributes.id;
  EXPECT_EQ(read(link, 0, 1).nfs(), Status::inval);
}

TEST_F(Data, StableWritesAreDurable) {
  const ns::FileId file = make_file("f");
  for (const std::uint32_t how : {kDataSync, kFileSync}) {
    const Written w = ok(write(file, 0, "hello", how));
    EXPECT_EQ(w.count, 5U);
    EXPECT_EQ(w.committed, kFileSync);
    EXPECT_EQ(w.wcc.after->size, 5U);
    EXPECT_FALSE(files.dirty(file.ino));
  }
  EXPECT_EQ(content(file), "hello");
}

TEST_F(Data, UnstableWritesNeedACommit) {
  const ns::FileId file = make_file("f");
  const Written w = ok(write(file, 0, "hello", kUnstable));
  EXPECT_EQ(w.committed, kUnstable);
  EXPECT_EQ(w.verifier, files.boot_id());
  EXPECT_TRUE(files.dirty(file.ino));
  Reply commit = call(kCommit, Args().fh(handle(file)).u64(0).u32(0));
  ASSERT_EQ(commit.nfs(), Status::ok);
  EXPECT_EQ(read_wcc(commit.in).after->size, 5U);
  EXPECT_EQ(commit.in.u64(), w.verifier);
  EXPECT_TRUE(commit.in.done());
  EXPECT_FALSE(files.dirty(file.ino));
}

TEST_F(Data, ARestartChangesTheVerifier) {
  const ns::FileId file = make_file("f");
  const Written before = ok(write(file, 0, "lost", kUnstable));
  files.crash();
  Reply commit = call(kCommit, Args().fh(handle(file)).u64(0).u32(0));
  EXPECT_EQ(read_wcc(commit.in).after->size, 0U);
  EXPECT_NE(commit.in.u64(), before.verifier) << "so that the client writes again";
}

TEST_F(Data, WhoMayWrite) {
  EXPECT_EQ(write(make_file("theirs", {}, 5, 0644), 0, "x", kFileSync).nfs(), Status::acces);
  EXPECT_EQ(write(make_file("mine", {}, 1000, 0444), 0, "x", kFileSync).nfs(), Status::ok)
      << "as programs do with files that they have just made";
  const ns::FileId suid = make_file("suid", {}, 5, 06777);
  EXPECT_EQ(write(suid, 0, "x", kFileSync).nfs(), Status::ok);
  EXPECT_EQ(stat(suid).mode, 0777U);
  Reply commit = call(kCommit, Args().fh(handle(make_file("other", {}, 5, 0644))).u64(0).u32(0));
  EXPECT_EQ(commit.nfs(), Status::acces);
  EXPECT_TRUE(read_wcc(commit.in).after);
}

TEST_F(Data, WriteLimits) {
  const ns::FileId file = make_file("f");
  EXPECT_EQ(ok(write(file, 0, "", kFileSync)).count, 0U);
  EXPECT_EQ(ok(write(file, 0, std::string(1 << 20, 'x'), kFileSync)).count, 1U << 20);
  EXPECT_EQ(ok(write(file, 0, std::string((1 << 20) + 5, 'y'), kFileSync)).count, 1U << 20)
      << "a short write";
  EXPECT_EQ(stat(file).size, 1U << 20);
  EXPECT_EQ(ok(write(file, ns::kMaxObjectBytes - 1, "x", kFileSync)).count, 1U);
  Reply beyond = write(file, ns::kMaxObjectBytes, "x", kFileSync);
  EXPECT_EQ(beyond.nfs(), Status::fbig);
  EXPECT_EQ(read_wcc(beyond.in).after->size, ns::kMaxObjectBytes);
  EXPECT_EQ(write(file, UINT64_MAX, "x", kFileSync).nfs(), Status::fbig);
  EXPECT_EQ(write({root, root}, 0, "x", kFileSync).nfs(), Status::isdir);
}

TEST_F(Data, CountAndDataMustAgree) {
  const ns::FileId file = make_file("f");
  for (const std::uint32_t count : {2U, 4U}) {
    const Args args = Args().fh(handle(file)).u64(0).u32(count).u32(kFileSync).text("abc");
    EXPECT_EQ(call(kWrite, args).nfs(), Status::inval);
  }
  EXPECT_EQ(write(file, 0, "x", 3).accepted, AcceptStatus::garbage_arguments);
  EXPECT_EQ(content(file), "");
}

TEST_F(Data, FullStore) {
  const ns::FileId file = make_file("f", "old");
  files.fail_next("write", Errc::no_space);
  Reply reply = write(file, 3, "new", kUnstable);
  EXPECT_EQ(reply.nfs(), Status::nospc);
  EXPECT_EQ(read_wcc(reply.in).after->size, 3U);
  EXPECT_TRUE(reply.in.done());
  files.fail_next("write", Errc::quota_exceeded);
  reply = write(file, 3, "new", kUnstable);
  EXPECT_EQ(reply.nfs(), Status::dquot);
  EXPECT_EQ(static_cast<unsigned>(Status::dquot), 69U);
  EXPECT_EQ(read_wcc(reply.in).after->size, 3U);
  EXPECT_TRUE(reply.in.done());
  files.fail_next("commit", Errc::io_error);
  EXPECT_EQ(call(kCommit, Args().fh(handle(file)).u64(0).u32(0)).nfs(), Status::io);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
