// Data: READ, WRITE, COMMIT, ALLOCATE, DEALLOCATE, SEEK, CLONE, COPY, IO_ADVISE.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using Data = Nfs4Test;

Nfs4Compound range(
    Op op, const std::string& handle, const Stateid& id, std::uint64_t a, std::uint64_t b) {
  Nfs4Compound c;
  c.putfh(handle).with(op, id).out.u64(a);
  c.out.u64(b);
  return c;
}

Nfs4Result seek(Nfs4Client& client,
                const std::string& handle,
                std::uint64_t offset,
                std::uint32_t what) {
  Nfs4Compound c;
  c.putfh(handle).with(Op::seek, {}).out.u64(offset);
  c.out.u32(what);
  return client.call(c).last();
}

TEST_F(Data, WhenMemoryIsShortReadsAreShortAndGetOn) {
  const std::string content(50'000, 'x');
  const File file = create("f", content);
  client.most_data = 10'000;
  C two;
  two.putfh(file.handle).read(file.stateid, 0, 100'000).read(file.stateid, 20'000, 100'000);
  const Nfs4Reply reply = client.call(two);
  ASSERT_EQ(reply.status, Status::ok);
  EXPECT_FALSE(reply.last().eof);
  EXPECT_EQ(reply.last().text.size(), 4096u);
  std::string all;
  while (all.size() < content.size()) {
    const Nfs4Result part = last(C().putfh(file.handle).read(file.stateid, all.size(), 100'000));
    ASSERT_GT(part.text.size(), 0u);
    EXPECT_LE(part.text.size(), 10'000u);
    all += part.text;
    EXPECT_EQ(part.eof, all.size() == content.size());
  }
  EXPECT_EQ(all, content);
}

TEST_F(Data, WrittenIsRead) {
  const File file = create("f");
  const Nfs4Result wrote = last(C().putfh(file.handle).write(file.stateid, 3, "hello", 2));
  EXPECT_EQ(wrote.numbers[0], 5U);
  EXPECT_EQ(wrote.numbers[1], 2U);
  const Nfs4Result all = last(C().putfh(file.handle).read(file.stateid, 0, 100));
  EXPECT_EQ(all.text, std::string("\0\0\0hello", 8));
  EXPECT_TRUE(all.eof);
  EXPECT_FALSE(last(C().putfh(file.handle).read(file.stateid, 0, 4)).eof);
  const Nfs4Result past = last(C().putfh(file.handle).read(file.stateid, 100, 4));
  EXPECT_TRUE(past.eof);
  EXPECT_EQ(past.text, "");
  EXPECT_EQ(last(C().putfh(file.handle).write(file.stateid, 0, "")).numbers[0], 0U);
}

TEST_F(Data, UnstableWaitsForCommit) {
  const File file = create("f");
  const Nfs4Result wrote = last(C().putfh(file.handle).write(file.stateid, 0, "x", 0));
  EXPECT_EQ(wrote.numbers[1], 0U);
  const InodeId ino =
      last(C().putfh(file.handle).getattr({Attribute::fileid})).u64(Attribute::fileid);
  EXPECT_TRUE(files.dirty(ino));
  C commit;
  commit.putfh(file.handle).op(Op::commit).out.u64(0);
  commit.out.u32(0);
  const Nfs4Result done = last(commit);
  EXPECT_FALSE(files.dirty(ino));
  EXPECT_EQ(done.numbers[0], wrote.numbers[2]);
  files.crash();
  EXPECT_NE(last(C().putfh(file.handle).write({}, 0, "x", 2)).numbers[2], wrote.numbers[2]);
}

TEST_F(Data, OffsetsPastTheLargestFile) {
  const File file = create("f");
  EXPECT_EQ(status(C().putfh(file.handle).write(file.stateid, INT64_MAX, "x")), Status::fbig);
  EXPECT_EQ(status(C().putfh(file.handle).write(file.stateid, UINT64_MAX, "x")), Status::fbig);
  EXPECT_EQ(last(C().putfh(file.handle).read(file.stateid, UINT64_MAX, 5)).status, Status::ok);
  C commit;
  commit.putfh(file.handle).op(Op::commit).out.u64(UINT64_MAX);
  commit.out.u32(2);
  EXPECT_EQ(status(commit), Status::inval);
}

TEST_F(Data, OnlyFilesHaveData) {
  ASSERT_EQ(status(C().walk("data").symlink("l", "f")), Status::ok);
  EXPECT_EQ(status(C().walk("data").read({}, 0, 1)), Status::isdir);
  EXPECT_EQ(status(C().walk("data/l").read({}, 0, 1)), Status::symlink);
  EXPECT_EQ(status(C().putrootfh().read({}, 0, 1)), Status::isdir);
  EXPECT_EQ(seek(client, handle_of("data"), 0, 0).status, Status::wrong_type);
  client.start_4_0();
  EXPECT_EQ(status(C().walk("data/l").read({}, 0, 1)), Status::inval);
}

TEST_F(Data, StateidsAndModeBits) {
  const File file = create("f", "text");
  ASSERT_EQ(status(C().putfh(file.handle).setattr({}, Nfs4Attributes().u32(Attribute::mode, 0))),
            Status::ok);
  EXPECT_EQ(last(C().putfh(file.handle).read({}, 0, 9)).text, "text");  // the owner may
  client.credentials.uid = 1001;
  client.credentials.gid = 1001;
  EXPECT_EQ(status(C().putfh(file.handle).read({}, 0, 9)), Status::access);
  EXPECT_EQ(status(C().putfh(file.handle).read(file.stateid, 0, 9)), Status::access);
  Stateid old = file.stateid;
  old.seqid += 7;
  EXPECT_EQ(status(C().putfh(file.handle).read(old, 0, 9)), Status::bad_stateid);
}

TEST_F(Data, HolesAreMadeAndFound) {
  const File file = create("f", "0123456789");
  EXPECT_EQ(client.call(range(Op::allocate, file.handle, file.stateid, 5, 10)).status, Status::ok);
  EXPECT_EQ(last(C().putfh(file.handle).getattr({Attribute::size})).u64(Attribute::size), 15U);
  EXPECT_EQ(client.call(range(Op::deallocate, file.handle, file.stateid, 2, 3)).status, Status::ok);
  EXPECT_EQ(content(file).substr(0, 10), std::string("01\0\0\0"
                                                     "56789",
                                                     10));
  const Nfs4Result hole = seek(client, file.handle, 0, 1);
  EXPECT_EQ(hole.numbers, (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(seek(client, file.handle, 2, 0).numbers, (std::vector<std::uint64_t>{5}));
  EXPECT_EQ(seek(client, file.handle, 15, 0).status, Status::nxio);
  EXPECT_EQ(seek(client, file.handle, 0, 2).status, Status::union_notsupp);
  EXPECT_EQ(client.call(range(Op::allocate, file.handle, file.stateid, 0, 0)).status,
            Status::inval);
  EXPECT_EQ(client.call(range(Op::allocate, file.handle, file.stateid, INT64_MAX, 1)).status,
            Status::fbig);
}

TEST_F(Data, CloneAndCopy) {
  const File from = create("from", "0123456789");
  const File to = create("to", "abc");
  const auto clone = [&](Op op, std::uint64_t a, std::uint64_t b, std::uint64_t n) {
    return last(C().putfh(from.handle)
                    .op(Op::savefh)
                    .putfh(to.handle)
                    .copy_range(op, from.stateid, to.stateid, a, b, n));
  };
  EXPECT_EQ(clone(Op::clone, 2, 1, 4).status, Status::ok);
  EXPECT_EQ(content(to), "a2345");
  EXPECT_EQ(clone(Op::clone, 5, 0, 0).status, Status::ok);
  EXPECT_EQ(content(to), "56789");
  EXPECT_EQ(clone(Op::clone, 8, 0, 3).status, Status::inval);
  const Nfs4Result copied = clone(Op::copy, 8, 0, 100);
  EXPECT_EQ(copied.status, Status::ok);
  EXPECT_EQ(copied.numbers[1], 2U);
  EXPECT_EQ(copied.numbers[2], 2U);
  EXPECT_EQ(copied.numbers[4], 1U);
  EXPECT_EQ(content(to), "89789");
  EXPECT_EQ(clone(Op::copy, 11, 0, 1).status, Status::inval);
  EXPECT_EQ(last(C().putfh(from.handle)
                     .op(Op::savefh)
                     .copy_range(Op::clone, from.stateid, from.stateid, 0, 5, 6))
                .status,
            Status::inval);
  EXPECT_EQ(last(C().putfh(from.handle)
                     .op(Op::savefh)
                     .copy_range(Op::clone, from.stateid, from.stateid, 0, 5, 5))
                .status,
            Status::ok);
  EXPECT_EQ(content(from), "0123401234");
}

TEST_F(Data, CopiesBetweenServersAreRefused) {
  const File file = create("f", "x");
  C c;
  c.putfh(file.handle).op(Op::savefh).with(Op::copy, file.stateid).put(file.stateid);
  for (int i = 0; i < 3; ++i) {
    c.out.u64(0);
  }
  c.out.boolean(true);
  c.out.boolean(true);
  c.out.u32(1);
  c.out.u32(1);
  c.out.string("elsewhere");
  EXPECT_EQ(status(c), Status::notsupp);
}

TEST_F(Data, AdviceIsTakenNoteOf) {
  const File file = create("f", "x");
  C c = range(Op::io_advise, file.handle, file.stateid, 0, 10);
  c.out.u32(1);
  c.out.u32(2);
  const Nfs4Result advised = last(c);
  EXPECT_EQ(advised.status, Status::ok);
  EXPECT_EQ(advised.set, AttributeSet());
}

TEST_F(Data, WhatPoliciesTakeAwayIsGoneForOpenFilesToo) {
  const File file = create("policy", "text");
  nfs::Rights now;
  exports.decide_rights([&](const nfs::Export&) { return now; });
  const auto read = [&] { return status(C().putfh(file.handle).read(file.stateid, 0, 4)); };
  const auto write = [&] { return status(C().putfh(file.handle).write(file.stateid, 0, "x")); };
  const auto list = [&] { return status(C().walk("data").readdir(0, {})); };
  EXPECT_EQ(read(), Status::ok);
  now = {.read = false, .write = true, .list = true};
  exports.refresh();
  EXPECT_EQ(read(), Status::access);
  EXPECT_EQ(write(), Status::ok);
  EXPECT_EQ(list(), Status::ok);
  now = {.read = true, .write = false, .list = false};
  exports.refresh();
  EXPECT_EQ(read(), Status::ok);
  EXPECT_EQ(write(), Status::rofs);
  EXPECT_EQ(list(), Status::access);
  now = {};
  exports.refresh();
  EXPECT_EQ(write(), Status::ok);
}

}  // namespace
}  // namespace outcrop::test
