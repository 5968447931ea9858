#include "storage/ns/directory_times.h"

#include <gtest/gtest.h>

#include "storage/base/async.h"
#include "storage/ns/hold_table.h"
#include "storage/ns/recent_names.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::ns {
namespace {

struct Times : ::testing::Test {
  Times() {
    EXPECT_TRUE(run_on(io, changes.open(~std::uint64_t{0}, true)));
    times.open(1000);
  }
  asio::io_context io{1};
  outcrop::test::MemMetaStore meta;
  ChangeCounter changes{meta};
  DirectoryTimes times{changes, 128};  // 4 per shard
  const InodeRecord record{.type = InodeType::directory, .mtime_ns = 5};
};

TEST_F(Times, ChangesOfOneDirectoryAreAChain) {
  const DirectoryState untouched = times.get(7, record);
  EXPECT_EQ(untouched.change, changes.floor());
  EXPECT_EQ(untouched.mtime_ns, 5);
  EXPECT_EQ(untouched.ctime_ns, 1000);
  const DirectoryChange first = times.touch(1, 7, 2000);
  EXPECT_EQ(first.before, untouched.change);
  times.touch(1, 8, 2000);
  const DirectoryChange second = times.touch(1, 7, 2000);
  EXPECT_EQ(second.before, first.after);
  EXPECT_GT(second.after, second.before);
  const DirectoryState state = times.get(7, record);
  EXPECT_EQ(state.change, second.after);
  EXPECT_EQ(state.mtime_ns, 2000);
  EXPECT_EQ(state.ctime_ns, 2001);  // the clock stood still
  times.set(1, 7, 33, 1500);        // and went back
  EXPECT_EQ(times.get(7, record).mtime_ns, 33);
  EXPECT_EQ(times.get(7, record).ctime_ns, 2002);
}

// chmod beside a create: whichever is recorded last, the new entry shows in the mtime.
TEST_F(Times, OtherAttributesLeaveTheMtimeAsItIs) {
  const DirectoryChange first = times.change(1, 7, record, 1000);
  EXPECT_EQ(times.get(7, record).mtime_ns, record.mtime_ns);
  times.touch(1, 7, 2000);
  const DirectoryChange last = times.change(1, 7, record, 3000);
  EXPECT_EQ(times.get(7, record).mtime_ns, 2000);
  EXPECT_EQ(times.get(7, record).ctime_ns, 3000);
  EXPECT_GT(last.after, last.before);
  EXPECT_GT(last.before, first.after);
}

TEST_F(Times, WhatFallsOutRaisesTheFloor) {
  const DirectoryChange first = times.touch(1, 32, 3000);
  for (InodeId i = 2; i < 40; ++i) {
    times.touch(1, 32 * i, 4000);
  }
  const DirectoryState fallen = times.get(32, record);
  EXPECT_GE(fallen.change, first.after);
  EXPECT_GE(fallen.ctime_ns, 3000);
  const DirectoryState never = times.get(33, record);
  EXPECT_EQ(never.change, fallen.change);
  const DirectoryChange again = times.touch(1, 32, 5000);
  EXPECT_EQ(again.before, never.change);
  EXPECT_GT(again.after, again.before);
}

TEST_F(Times, WrittenOnesFallOutFirst) {
  times.touch(1, 32, 1);
  times.touch(1, 64, 2);
  const auto all = times.unwritten(10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(times.unwritten(1).size(), 1u);
  times.touch(1, 32, 3);
  for (const auto& what : all) {
    times.written(what);  // of 32, an older state
  }
  ASSERT_EQ(times.unwritten(10).size(), 1u);
  EXPECT_EQ(times.unwritten(10)[0].directory, 32u);
  const std::uint64_t kept = times.get(32, record).change;
  for (InodeId i = 3; i < 6; ++i) {
    times.touch(1, 32 * i, 4);
  }
  EXPECT_EQ(times.get(32, record).change, kept);
  EXPECT_EQ(times.get(64, record).mtime_ns, 5);
}

TEST_F(Times, NoNumberIsGivenOutTwice) {
  std::uint64_t last = 0;
  for (int i = 0; i < 10; ++i) {
    last = changes.next();
  }
  ChangeCounter after(meta);
  ASSERT_TRUE(run_on(io, after.open(1, true)));
  EXPECT_GT(after.floor(), last);
  EXPECT_GT(after.next(), after.floor());
  EXPECT_NE(after.boot_id(), changes.boot_id());
  const auto commits = meta.commits();
  ASSERT_TRUE(run_on(io, after.extend()));
  EXPECT_EQ(meta.commits(), commits);  // there is plenty left
}

TEST(HoldTable, OrphansEndOnceAndWithTheLastHold) {
  HoldTable table;
  table.add(1, 0);
  table.add(1, 0);
  table.orphaned(1);
  EXPECT_TRUE(table.held(1));
  table.release(1);
  EXPECT_TRUE(table.take_ended().empty());
  table.release(1);
  EXPECT_FALSE(table.held(1));
  EXPECT_EQ(table.take_ended(), std::vector<InodeId>{1});
  EXPECT_TRUE(table.take_ended().empty());
  table.add(2, 0);
  table.release(2);
  EXPECT_TRUE(table.take_ended().empty());
  table.orphaned(3);  // the hold ended before the commit did
  EXPECT_EQ(table.take_ended(), std::vector<InodeId>{3});
}

TEST(RecentNames, OnlyWatchedDirectoriesAndOnlySoMany) {
  RecentNames names;
  names.left(1, 10, "a");
  EXPECT_FALSE(names.find(1, 10));
  names.reading(1, 0);
  names.left(1, 10, "a");
  names.left(2, 11, "b");
  EXPECT_EQ(names.find(1, 10), "a");
  EXPECT_FALSE(names.find(2, 11));
  names.left(1, 10, "c");  // after 32768 renames the cookie is of another place
  EXPECT_EQ(names.find(1, 10), "c");
  for (std::uint64_t i = 0; i < RecentNames::kMaxNames; ++i) {
    names.left(1, 100 + i, "n");
  }
  EXPECT_FALSE(names.find(1, 10));
  EXPECT_EQ(names.find(1, 100), "n");
  for (InodeId d = 2; d < 2 + RecentNames::kMaxDirectories; ++d) {
    names.reading(d, 5);
  }
  EXPECT_TRUE(names.left(1, 10, "late")) << "too many are read to tell which";
  EXPECT_TRUE(names.left(9'999, 12, "late"));
  names.expire(5 + RecentNames::kWatchNs);
  EXPECT_EQ(names.find(1, 102), "n");
  names.expire(6 + RecentNames::kWatchNs);
  EXPECT_FALSE(names.find(1, 102));
  EXPECT_FALSE(names.active());
}

TEST(RecentNames, AfterAStartAllDirectoriesAreWatchedForAWhile) {
  RecentNames names;
  names.watch_all(5);
  EXPECT_TRUE(names.active());
  EXPECT_TRUE(names.left(1, 10, "a"));
  names.expire(5 + RecentNames::kWatchNs);
  EXPECT_TRUE(names.left(2, 11, "b"));
  EXPECT_EQ(names.find(1, 10), "a");
  names.expire(6 + RecentNames::kWatchNs);
  EXPECT_FALSE(names.active());
  EXPECT_FALSE(names.left(3, 12, "c"));
}

}  // namespace
}  // namespace outcrop::ns
