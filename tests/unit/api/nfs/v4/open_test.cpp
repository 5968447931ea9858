// OPEN in all its forms, what follows it, and locks.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using A = Nfs4Attributes;
using Open = Nfs4Test;

constexpr std::uint32_t kUnchecked = 0, kGuarded = 1, kExclusive = 2, kExclusive1 = 3;
constexpr std::uint32_t kRead = 1, kWrite = 2;

Nfs4OpenHow creating(std::uint32_t how) {
  Nfs4OpenHow out;
  out.create = how;
  return out;
}

TEST_F(Open, CreatesAndOpens) {
  Nfs4OpenHow how = creating(kUnchecked);
  how.attributes.u32(Attribute::mode, 0640);
  const Nfs4Reply made =
      client.call(C().walk("data").open("f", how).getattr({Attribute::mode, Attribute::owner}));
  ASSERT_EQ(made.status, Status::ok);
  const Nfs4Result& open = made.find(Op::open);
  EXPECT_LT(open.numbers[1], open.numbers[2]);  // the directory changed
  EXPECT_EQ(open.numbers[3], 4U | 8U);          // POSIX locks, unlinked files stay
  EXPECT_EQ(open.set, (AttributeSet{Attribute::mode}));
  EXPECT_EQ(open.numbers[4], 0U);  // no delegation
  EXPECT_EQ(made.last().u32(Attribute::mode), 0640U);
  EXPECT_EQ(made.last().string(Attribute::owner), "1000");
  const Nfs4Result again = client.call(C().walk("data").open("f", {})).find(Op::open);
  EXPECT_EQ(again.status, Status::ok);
  EXPECT_EQ(again.numbers[1], again.numbers[2]);
  EXPECT_EQ(status(C().walk("data").open("g", {})), Status::noent);
}

TEST_F(Open, UncheckedOnlyTruncatesWhatIsThere) {
  const File file = create("f", "0123456789");
  Nfs4OpenHow how = creating(kUnchecked);
  how.attributes.u64(Attribute::size, 4).u32(Attribute::mode, 0600);
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::ok);
  EXPECT_EQ(content(file), "0123456789");
  how = creating(kUnchecked);
  how.attributes.u64(Attribute::size, 0);
  const Nfs4Result open = client.call(C().walk("data").open("f", how)).find(Op::open);
  EXPECT_EQ(open.set, (AttributeSet{Attribute::size}));
  EXPECT_EQ(content(file), "");
  EXPECT_EQ(last(C().walk("data/f").getattr({Attribute::mode})).u32(Attribute::mode), 0644U);
}

TEST_F(Open, ADenyModeKeepsOthersFromTruncating) {
  Nfs4OpenHow how = creating(kUnchecked);
  how.deny = kWrite;
  const Nfs4Reply made = client.call(C().walk("data").open("f", how).getfh());
  const File file{made.last().text, made.find(Op::open).stateid};
  ASSERT_EQ(status(C().putfh(file.handle).write(file.stateid, 0, "text")), Status::ok);
  Nfs4OpenHow other = creating(kUnchecked);
  other.owner = "other";
  other.access = kRead;
  other.attributes.u64(Attribute::size, 0);
  EXPECT_EQ(status(C().walk("data").open("f", other)), Status::share_denied);
  EXPECT_EQ(content(file), "text");
}

TEST_F(Open, GuardedAndExclusive) {
  EXPECT_EQ(status(C().walk("data").open("f", creating(kGuarded))), Status::ok);
  EXPECT_EQ(status(C().walk("data").open("f", creating(kGuarded))), Status::exist);
  Nfs4OpenHow how = creating(kExclusive1);
  how.verifier = 42;
  how.attributes.u32(Attribute::mode, 0604);
  const Nfs4Reply made = client.call(C().walk("data").open("x", how).getfh());
  EXPECT_EQ(made.find(Op::open).set, (AttributeSet{Attribute::mode}));
  const Nfs4Reply repeated = client.call(C().walk("data").open("x", how).getfh());
  EXPECT_EQ(repeated.last().text, made.last().text);
  how.verifier = 43;
  EXPECT_EQ(status(C().walk("data").open("x", how)), Status::exist);
  EXPECT_EQ(status(C().walk("data").open("y", creating(kExclusive))), Status::ok);
  EXPECT_EQ(last(C().walk("data/y").getattr({Attribute::mode})).u32(Attribute::mode), 0600U);
}

TEST_F(Open, AttributesOfCreatesAreChecked) {
  Nfs4OpenHow how = creating(kUnchecked);
  how.attributes.u32(Attribute::link_support, 1);
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::inval);
  how = creating(kUnchecked);
  how.attributes.u32(static_cast<Attribute>(12), 0);
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::attrnotsupp);
  how = creating(kUnchecked);
  how.attributes.text(Attribute::owner, "0");
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::perm);
  EXPECT_EQ(status(C().walk("data/f")), Status::noent);
}

TEST_F(Open, OnlyFilesAreOpened) {
  ASSERT_EQ(status(C().walk("data").symlink("l", "f")), Status::ok);
  EXPECT_EQ(status(C().walk("data").open("top", {})), Status::isdir);
  EXPECT_EQ(status(C().walk("data").open("l", {})), Status::symlink);
  EXPECT_EQ(status(C().walk("data").open("top", creating(kUnchecked))), Status::isdir);
  EXPECT_EQ(status(C().walk("data").open("top", creating(kGuarded))), Status::exist);
  const File file = create("f");
  EXPECT_EQ(status(C().putfh(file.handle).open("x", {})), Status::notdir);
  EXPECT_EQ(status(C().walk("data").open("", {})), Status::inval);
  EXPECT_EQ(status(C().walk("data").open("..", creating(kUnchecked))), Status::badname);
}

TEST_F(Open, ModeBitsCount) {
  const File file = create("f");
  ASSERT_EQ(status(C().putfh(file.handle).setattr({}, A().u32(Attribute::mode, 0444))), Status::ok);
  Nfs4OpenHow how;
  how.owner = "other";
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::access);
  how.access = kRead;
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::ok);
  client.credentials.uid = 1001;
  client.credentials.gid = 1001;
  ASSERT_EQ(status(C().walk("data/top").mkdir("closed", A().u32(Attribute::mode, 0700))),
            Status::ok);
  client.credentials.uid = 1002;
  client.credentials.gid = 1002;
  EXPECT_EQ(status(C().walk("data/top/closed").open("f", creating(kUnchecked))), Status::access);
}

TEST_F(Open, ByHandle) {
  const File file = create("f");
  Nfs4OpenHow how;
  how.claim = 4;
  how.owner = "other";
  EXPECT_EQ(status(C().putfh(file.handle).open("", how)), Status::ok);
  EXPECT_EQ(status(C().walk("data").open("", how)), Status::isdir);
  how.create = kUnchecked;
  EXPECT_EQ(status(C().putfh(file.handle).open("", how)), Status::inval);
  how = {};
  how.claim = 1;
  EXPECT_EQ(status(C().putfh(file.handle).open("", how)), Status::no_grace);
  C cur;
  cur.putfh(file.handle).op(Op::open);
  for (const std::uint32_t v : {0U, 1U, 0U, 0U, 0U, 0U, 0U, 5U}) {
    cur.out.u32(v);
  }
  EXPECT_EQ(status(cur.put(file.stateid)), Status::bad_stateid);
  C prev;
  prev.putfh(file.handle).op(Op::open);
  for (const std::uint32_t v : {0U, 1U, 0U, 0U, 0U, 0U, 0U, 6U}) {
    prev.out.u32(v);
  }
  EXPECT_EQ(status(prev), Status::notsupp);
}

TEST_F(Open, WantsAreAnsweredWithWhyNot) {
  create("f");
  Nfs4OpenHow how;
  how.access = kRead | 0x0100;
  const Nfs4Result open = client.call(C().walk("data").open("f", how)).find(Op::open);
  ASSERT_EQ(open.numbers.size(), 6U);
  EXPECT_EQ(open.numbers[4], 3U);  // OPEN_DELEGATE_NONE_EXT
  how.access = 0;
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::inval);
  how.access = kRead;
  how.deny = 4;
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::inval);
}

TEST_F(Open, WhatIsAboveAQuota) {
  files.fail_next("create", Errc::quota_exceeded);
  EXPECT_EQ(status(C().walk("data").open("f", creating(kUnchecked))), Status::dquot);
  EXPECT_EQ(static_cast<unsigned>(Status::dquot), 69U);
}

TEST_F(Open, AFailedTruncationTakesTheOpenBack) {
  create("f", "text");
  files.fail_next("set_attributes", Errc::no_space);
  Nfs4OpenHow how = creating(kUnchecked);
  how.owner = "other";
  how.attributes.u64(Attribute::size, 0);
  const std::size_t before = state.counts().opens;
  EXPECT_EQ(status(C().walk("data").open("f", how)), Status::nospc);
  EXPECT_EQ(state.counts().opens, before);
}

TEST_F(Open, AnUnlinkedFileStaysWhileItIsOpen) {
  const File file = create("f", "text");
  ASSERT_EQ(status(C().walk("data").named(Op::remove, "f")), Status::ok);
  EXPECT_EQ(content(file), "text");
  EXPECT_EQ(last(C().putfh(file.handle).getattr({Attribute::numlinks})).u32(Attribute::numlinks),
            0U);
  ASSERT_EQ(status(C().putfh(file.handle).close(file.stateid)), Status::ok);
  EXPECT_EQ(status(C().putfh(file.handle)), Status::stale);
}

TEST_F(Open, Downgrade) {
  Nfs4OpenHow how = creating(kUnchecked);
  how.access = kRead;
  client.call(C().walk("data").open("f", how));
  how.access = 3;
  const Nfs4Reply open = client.call(C().walk("data").open("f", how).getfh());
  const std::string handle = open.last().text;
  C down;
  down.putfh(handle).with(Op::open_downgrade, open.find(Op::open).stateid).out.u32(0);
  down.out.u32(kRead);
  down.out.u32(0);
  const Nfs4Result result = last(down);
  ASSERT_EQ(result.status, Status::ok);
  EXPECT_EQ(status(C().putfh(handle).write(result.stateid, 0, "x")), Status::openmode);
}

TEST_F(Open, TestAndFreeStateids) {
  const File file = create("f");
  C test;
  test.op(Op::test_stateid).out.u32(2);
  test.put(file.stateid).put(Stateid{7, {std::byte{1}}});
  EXPECT_EQ(last(test).numbers, (std::vector<std::uint64_t>{0, 10025}));
  EXPECT_EQ(status(C().with(Op::free_stateid, file.stateid)), Status::locks_held);
  EXPECT_EQ(status(C().putfh(file.handle).with(Op::delegreturn, file.stateid)),
            Status::bad_stateid);
  C purge;
  purge.op(Op::delegpurge).out.u64(client.client_id);
  EXPECT_EQ(status(purge), Status::notsupp);
}

TEST_F(Open, Locks) {
  const File file = create("f");
  const auto lock = [&](std::string_view owner, std::uint64_t offset, std::uint64_t length) {
    return last(C().putfh(file.handle).lock(2, offset, length, file.stateid, owner));
  };
  const Nfs4Result first = lock("a", 0, 10);
  ASSERT_EQ(first.status, Status::ok);
  Nfs4OpenHow how;
  how.owner = "second";
  const Stateid open = client.call(C().walk("data").open("f", how)).find(Op::open).stateid;
  const Nfs4Result denied = last(C().putfh(file.handle).lock(1, 5, 10, open, "b"));
  EXPECT_EQ(denied.status, Status::denied);
  EXPECT_EQ(denied.text, "a");
  EXPECT_EQ(denied.numbers, (std::vector<std::uint64_t>{0, 10, 2, client.client_id}));
  EXPECT_EQ(lock("c", 0, 0).status, Status::inval);
  EXPECT_EQ(lock("c", UINT64_MAX - 1, 5).status, Status::inval);
  C test;
  test.putfh(file.handle).op(Op::lockt).out.u32(1);
  test.out.u64(9);
  test.out.u64(UINT64_MAX);
  test.out.u64(0);
  test.out.string("b");
  EXPECT_EQ(last(test).status, Status::denied);
  C unlock;
  unlock.putfh(file.handle).op(Op::locku).out.u32(2);
  unlock.out.u32(0);
  unlock.put(first.stateid).out.u64(0);
  unlock.out.u64(UINT64_MAX);
  EXPECT_EQ(last(unlock).status, Status::ok);
  EXPECT_EQ(last(C().putfh(file.handle).lock(1, 5, 10, open, "b")).status, Status::ok);
  EXPECT_EQ(status(C().walk("data").lock(1, 0, 1, open, "b")), Status::isdir);
}

}  // namespace
}  // namespace outcrop::test
