// Sectors that a drive cannot read: what is there is written anew from the other shards, where it
// is or to another file.
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

class Unreadable : public ::testing::Test {
 protected:
  /// One object, in a closed segment of its own.
  void put(std::size_t size) {
    const std::string content = pattern(size, size);
    const bool small = size <= kSmallMax;
    x_all.push_back(
        {small ? std::vector{*x_p->put_small(content, 1)} : *x_p->put_large(content, 1, size),
         content});
    x_p->seal();
    repair(*x_p);
    x_record = x_p->record(x_all.front().extents.front().segment);
  }
  void make_unreadable(unsigned shard, std::uint64_t offset, bool heals = true) {
    ASSERT_TRUE(x_world.make_unreadable(x_record.slots[shard], shard_path(x_record.id, shard),
                                        x_all.front().extents.front().offset + offset, 1, heals));
  }
  SegmentStore::PassResult scrub(std::uint64_t now) {
    FullSpeed pace;
    return x_p->must(x_p->store->scrub(pace, now, 1));
  }
  ShardMask holes() { return x_p->record(x_record.id).holes; }
  std::uint64_t repaired() { return x_p->store->stats().repaired_chunks.load(); }
  /// All is there, on drives that can read it.
  void expect_healed() {
    EXPECT_EQ(x_p->store->survey().degraded, 0U);
    EXPECT_EQ(scrub(1'000'000).whole, 1U);
    EXPECT_EQ(x_p->store->survey().degraded, 0U);
    ASSERT_TRUE(x_p->close());
    x_p.reset();
    expect_any_drive_may_go(x_world, x_all);
  }

  io::SimWorld x_world = formatted_world(3, 1);
  std::unique_ptr<Process> x_p = std::make_unique<Process>(x_world);
  std::vector<Stored> x_all;
  SegmentRecord x_record;
};

TEST_F(Unreadable, AStripeIsWrittenAnewWhereItIs) {
  put(700'000);
  make_unreadable(0, 20'000);
  EXPECT_EQ(scrub(100).whole, 1U);
  EXPECT_EQ(repaired(), 1U);
  expect_healed();
}

// One sector does not make the window around it useless for others.
TEST_F(Unreadable, SectorsOfAllShardsInDifferentStripesAreRepaired) {
  put(1'500'000);
  const std::uint64_t chunk = x_record.chunk_bytes;
  ASSERT_GT(x_all.front().extents.front().length, x_record.stripe_payload());
  make_unreadable(0, 8'192);
  make_unreadable(1, chunk + 4'096);
  EXPECT_EQ(scrub(100).whole, 1U);
  EXPECT_EQ(repaired(), 2U);
  expect_healed();
}

TEST_F(Unreadable, AShardWhoseSectorsStayBadGetsANewFile) {
  put(700'000);
  make_unreadable(1, 20'000, false);
  EXPECT_EQ(scrub(100).blocked, 1U);
  EXPECT_EQ(holes(), 0b10U) << "it is on record";
  EXPECT_EQ(x_p->store->survey().degraded, 1U);
  EXPECT_EQ(repair(*x_p).whole, 1U);
  EXPECT_EQ(holes(), 0U);
  expect_healed();
}

// Its neighbours in the same block cannot be kept.
TEST_F(Unreadable, ACopyOfRecordsGetsANewFile) {
  put(9'000);
  make_unreadable(0, 5'000);
  EXPECT_EQ(scrub(100).blocked, 1U);
  EXPECT_EQ(holes(), 0b01U);
  EXPECT_EQ(repair(*x_p).whole, 1U);
  EXPECT_EQ(holes(), 0U);
  expect_healed();
}

TEST_F(Unreadable, WhatAReaderMeetsIsRepaired) {
  put(700'000);
  make_unreadable(0, 20'000, false);
  expect_readable(*x_p, x_all, "unreadable");
  FullSpeed pace;
  ASSERT_TRUE(x_p->run(x_p->store->repair_noted(pace)));
  EXPECT_EQ(holes(), 0b01U);
  EXPECT_EQ(repair(*x_p).whole, 1U);
  expect_healed();
}

TEST_F(Unreadable, SectorsWithoutDataAreNoHole) {
  put(9'000);
  make_unreadable(0, 100'000, false);
  EXPECT_EQ(scrub(100).whole, 1U);
  EXPECT_EQ(holes(), 0U);
}

}  // namespace
}  // namespace outcrop::segment
