// Which segments compaction moves, and what it costs the drives before and after.
#include "storage/engine/compactor.h"

#include "tests/unit/storage/engine/tree_rig.h"

namespace outcrop::engine {
namespace {

constexpr std::uint64_t kTotal = 1000;
constexpr std::uint64_t kPlenty = 900, kScarce = 200, kNearlyNone = 50;  // that are free of it
constexpr unsigned kMinute = 122;  // in steps: a round and what it finds

class CompactorTest : public TreeRig {
 protected:
  void steps(std::uint64_t free, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const auto done = p.run(compactor.step(free, kTotal));
      ASSERT_TRUE(done) << done.error().describe();
    }
    p.seal();
    settle();
  }
  std::uint64_t moved() const { return compactor.stats().bytes.load(); }
  std::uint64_t taken() {
    std::uint64_t bytes = 0;
    for (const segment::DriveFill& drive : balance().drives) {
      bytes += drive.used;
    }
    return bytes;
  }

  SegmentId busy = 0;
  Compactor compactor{*p.store, *tree, [this] { return busy; }};
};

// Three copies of each become one and two thirds.
TEST_F(CompactorTest, ColdSmallRecordsAreStripedWhereRoomIsScarce) {
  fill_some("small/", 50'000, 300);
  const std::uint64_t before = taken();
  ASSERT_GT(widths()[0], 6U);
  steps(kScarce, 12 * kMinute);
  EXPECT_EQ(widths()[0], 0U);
  EXPECT_EQ(moved(), 300U * 50'000) << "each once";
  EXPECT_LT(taken() * 10, before * 7);
  expect_all("striped");
}

// What a segment cannot hold is no garbage: drives would be worn out for nothing.
TEST_F(CompactorTest, ItComesToRestHoweverFullTheDrivesAre) {
  fill_some("small/", 50'000, 300);
  fill_some("large/", 1'200'000, 20);
  fill_some("odd/", 140'000, 100);
  for (unsigned i = 0; i < 10; ++i) {
    steps(kNearlyNone, kMinute);  // what is sealed behind it is not full
  }
  const std::uint64_t before = moved(), room = taken();
  EXPECT_GT(before, 0U);
  steps(kNearlyNone, 10 * kMinute);
  EXPECT_EQ(moved(), before);
  EXPECT_EQ(taken(), room);
}

TEST_F(CompactorTest, WithPlentyOfRoomTheyStayCheapToRead) {
  fill_some("small/", 50'000, 300);
  steps(kPlenty, 20 * kMinute);
  EXPECT_EQ(moved(), 0U);
}

TEST_F(CompactorTest, WhatWasJustWrittenIsNotCold) {
  fill_some("old/", 50'000, 150);
  steps(kScarce, 9 * kMinute);
  EXPECT_EQ(moved(), 0U) << "it has not outlived ten rounds";
  fill_some("new/", 50'000, 150);
  steps(kScarce, 2 * kMinute);
  EXPECT_GE(moved(), 150U * 50'000);
  EXPECT_LT(moved(), 200U * 50'000) << "and of the others what was sealed before it was full";
  EXPECT_GT(widths()[0], 2U);
  steps(kNearlyNone, 50);
  EXPECT_EQ(widths()[0], 0U) << "where hardly any is left, rounds follow each other at once";
}

TEST_F(CompactorTest, TheLessRoomTheLessGarbageIsEnough) {
  fill_some("gone/", 1 << 20, 8);
  fill_some("stays/", 1 << 20, 40);
  ASSERT_TRUE(p.run(tree->remove("b", "stays/0", {})));
  sizes.erase("stays/0");
  steps(kPlenty, 4 * kMinute);
  EXPECT_EQ(moved(), 0U);
  steps(kNearlyNone, 100);
  EXPECT_GT(moved(), 0U);
  EXPECT_LE(moved(), 10U << 20) << "that segment, and the last one, which is not full";
}

TEST_F(CompactorTest, WhatIsBeingRewrittenIsLeftAlone) {
  fill_some("large/", 1 << 20, 3);
  ASSERT_EQ(p.store->sealed().size(), 1U);
  busy = p.store->sealed().front();
  steps(kNearlyNone, 20);
  EXPECT_EQ(moved(), 0U);
  busy = 0;
  steps(kNearlyNone, 1);
  EXPECT_EQ(moved(), 3U << 20);
}

// Three drives: k is 1, striped or not.
TEST(CompactorAlone, NothingIsMovedThatWouldTakeAsMuch) {
  io::SimWorld world = segment::formatted_world(3, 2);
  segment::Process p(world);
  EXPECT_EQ(p.store->stripe_cost(), 3.0);
  EXPECT_TRUE(p.close());
}

}  // namespace
}  // namespace outcrop::engine
