// What is to move, or to be written anew, so that all drives are of use.
#include "storage/segment/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kShard = 100;

/// Drives of so many shard files each, and segments over them.
class Box {
 public:
  Box(unsigned parity, std::vector<std::uint64_t> sizes)
      : x_parity(parity), x_sizes(std::move(sizes)) {}

  void add_drive(std::uint64_t size) { x_sizes.push_back(size); }
  void add(std::vector<drives::Slot> slots, bool small) {
    const auto width = static_cast<unsigned>(slots.size());
    x_segments.push_back({x_next++, width - x_parity, x_parity, small, kShard, std::move(slots)});
  }
  /// Over all that have more than the reserve left, as new data is.
  bool add_large() {
    std::vector<drives::Slot> slots;
    for (const DriveFill& drive : balance().drives) {
      if (drive.room > 2 * kShard) {
        slots.push_back(drive.slot);
      }
    }
    if (slots.size() <= x_parity) {
      return false;
    }
    slots.resize(std::min<std::size_t>(slots.size(), 16));
    add(std::move(slots), false);
    return true;
  }
  Balance balance() const {
    Balance out{.parity = x_parity, .shard_bytes = kShard, .drives = {}, .segments = x_segments};
    for (std::size_t i = 0; i < x_sizes.size(); ++i) {
      std::uint64_t used = 0;
      for (const BalanceSegment& segment : x_segments) {
        used += static_cast<std::uint64_t>(
            std::ranges::count(segment.slots, static_cast<drives::Slot>(i)));
      }
      out.drives.push_back(
          {static_cast<drives::Slot>(i), used * kShard, (x_sizes[i] - used) * kShard});
    }
    return out;
  }
  BalancePlan plan(bool runs) const { return plan_balance(balance(), runs); }
  void move(const ShardMove& move) {
    const auto at = std::ranges::find(x_segments, move.segment, &BalanceSegment::id);
    ASSERT_NE(at, x_segments.end());
    ASSERT_EQ(std::ranges::find(at->slots, move.to), at->slots.end()) << "two on one drive";
    at->slots[move.shard] = move.to;
  }
  /// What lived in it fills a part of a new one: `x_payload` shards of payload wait for room.
  void widen(const BalancePlan& plan) {
    const auto at = std::ranges::find(x_segments, plan.narrow.front().segment, &BalanceSegment::id);
    ASSERT_NE(at, x_segments.end());
    const std::size_t width = std::min<std::size_t>(plan.roomy.size(), 16);
    ASSERT_GT(width, at->slots.size()) << "written anew to no purpose";
    const unsigned k = static_cast<unsigned>(width) - x_parity;
    x_payload += at->k;
    x_segments.erase(at);
    while (x_payload >= k) {
      add(std::vector(plan.roomy.begin(), plan.roomy.begin() + static_cast<std::ptrdiff_t>(width)),
          false);
      x_payload -= k;
    }
  }
  /// Until nothing is left to do; how many segments were written anew and shards moved. Garbage is
  /// freed at once.
  std::pair<unsigned, unsigned> settle() {
    unsigned widened = 0, moved = 0;
    bool runs = false;
    for (unsigned step = 0; step < 20'000; ++step) {
      const BalancePlan todo = plan(runs);
      if (todo.empty()) {
        EXPECT_TRUE(plan(false).empty()) << "it begins again";
        return {widened, moved};
      }
      runs = true;
      if (!todo.moves.empty()) {
        move(todo.moves.front());
        ++moved;
      } else {
        widen(todo);
        ++widened;
      }
      if (testing::Test::HasFailure()) {
        return {};
      }
    }
    ADD_FAILURE() << "it does not end";
    return {};
  }
  std::vector<double> shares() const {
    std::vector<double> out;
    for (const DriveFill& drive : balance().drives) {
      out.push_back(drive.share());
    }
    return out;
  }
  std::size_t narrower_than(std::size_t width) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        x_segments, [width](const auto& s) { return !s.small && s.slots.size() < width; }));
  }

 private:
  unsigned x_parity;
  std::vector<std::uint64_t> x_sizes;
  std::vector<BalanceSegment> x_segments;
  SegmentId x_next = 1;
  std::uint64_t x_payload = 0;
};

TEST(Balance, ABoxThatNobodyAddedADriveToIsLeftAlone) {
  Box box(2, std::vector<std::uint64_t>(6, 100));
  while (box.add_large()) {
    EXPECT_TRUE(box.plan(false).empty());
    EXPECT_TRUE(box.plan(true).empty());
  }
  Box empty(2, std::vector<std::uint64_t>(6, 100));
  EXPECT_TRUE(empty.plan(false).empty());
}

TEST(Balance, LargeDataOfAFullBoxIsWrittenOverTheNewDriveToo) {
  Box box(2, std::vector<std::uint64_t>(5, 100));
  while (box.add_large()) {
  }
  box.add_drive(100);
  EXPECT_TRUE(box.plan(false).starved);
  EXPECT_TRUE(box.plan(false).narrow.empty()) << "there is no room for it yet";
  const auto [widened, moved] = box.settle();
  EXPECT_EQ(widened, 98U) << "each once";
  EXPECT_LT(moved, 40U) << "only what makes room to begin with";
  EXPECT_EQ(box.narrower_than(6), 0U);
  for (const double share : box.shares()) {
    EXPECT_NEAR(share, 0.98 * 3 / 4, 0.02);
  }
}

TEST(Balance, SmallDataMovesShardByShard) {
  Box box(2, std::vector<std::uint64_t>(5, 100));
  for (unsigned i = 0; i < 160; ++i) {
    const auto first = static_cast<drives::Slot>(i % 5);
    box.add({first, static_cast<drives::Slot>((first + 1) % 5),
             static_cast<drives::Slot>((first + 2) % 5)},
            true);
  }
  box.add_drive(100);
  const auto [widened, moved] = box.settle();
  EXPECT_EQ(widened, 0U);
  EXPECT_LT(moved, 90U) << "no more than has to";
  for (const double share : box.shares()) {
    EXPECT_NEAR(share, 0.8, 0.03);
  }
}

// One more of eight saves 3 % of the room for writing all of it; moving a ninth does as well.
TEST(Balance, WhatSavesLittleIsNotWrittenAnew) {
  Box box(2, std::vector<std::uint64_t>(8, 100));
  while (box.add_large()) {
  }
  box.add_drive(100);
  const auto [widened, moved] = box.settle();
  EXPECT_EQ(widened, 0U);
  EXPECT_LT(moved, 98U);
  for (const double share : box.shares()) {
    EXPECT_NEAR(share, 0.98 * 8 / 9, 0.03);
  }
}

TEST(Balance, DrivesThatAreNotHalfFullHaveRoomForEverybody) {
  Box box(1, std::vector<std::uint64_t>(3, 100));
  for (unsigned i = 0; i < 48; ++i) {
    box.add({0, 1}, true);
  }
  EXPECT_TRUE(box.plan(false).empty());
  for (unsigned i = 0; i < 4; ++i) {
    box.add({0, 1}, true);
  }
  EXPECT_FALSE(box.plan(false).empty());
}

TEST(Balance, WhatWasWrittenWithLessParityThanIsDueIsWrittenAnew) {
  Box reduced(0, std::vector<std::uint64_t>(2, 100));
  reduced.add({0, 1}, false);
  Balance balance = reduced.balance();
  balance.parity = 1;
  balance.drives.push_back({2, 0, 100 * kShard});
  EXPECT_EQ(plan_balance(balance, false).narrow.size(), 1U);
  balance.drives.pop_back();
  EXPECT_TRUE(plan_balance(balance, false).narrow.empty()) << "it would be 1+1 in place of 2+0";
}

// It ends by what each step must do, whatever there is: no two states of it follow each other for
// ever. What runs stops where what rests does not begin.
// Its room is only there once it is freed.
TEST(Balance, GarbageIsFreedBeforeClientsHaveNoRoom) {
  const auto crowded = [](std::uint64_t room, std::uint64_t garbage) {
    Balance box{.parity = 1, .shard_bytes = kShard, .drives = {}, .segments = {}};
    for (drives::Slot slot = 0; slot < 4; ++slot) {
      box.drives.push_back({slot, 50 * kShard, 50 * kShard, 0});
    }
    box.drives[2] = {2, (100 - room) * kShard, room * kShard, garbage * kShard};
    return plan_balance(box, true).crowded;
  };
  EXPECT_FALSE(crowded(50, 0));
  EXPECT_FALSE(crowded(50, 39));
  EXPECT_TRUE(crowded(50, 40)) << "a tenth is left";
  EXPECT_TRUE(crowded(50, 50));
  EXPECT_FALSE(crowded(5, 0)) << "there is nothing to free";
}

TEST(Balance, BoxesOfAllKindsComeToRest) {
  std::mt19937 random(7);
  unsigned widened = 0, moved = 0;
  for (unsigned round = 0; round < 300; ++round) {
    const unsigned parity = random() % 4;
    std::vector<std::uint64_t> sizes(parity + 1 + random() % 6);
    for (std::uint64_t& size : sizes) {
      size = 10 + random() % 120;
    }
    Box box(parity, sizes);
    for (unsigned life = 0; life < 3; ++life) {
      const unsigned data = random() % 200;
      for (unsigned i = 0; i < data && box.add_large(); ++i) {
        std::vector<drives::Slot> slots;
        for (const DriveFill& drive : box.balance().drives) {
          if (drive.room > 2 * kShard) {
            slots.push_back(drive.slot);
          }
        }
        if (slots.size() > parity && random() % 2 == 0) {
          std::ranges::shuffle(slots, random);
          slots.resize(parity + 1);
          box.add(slots, true);
        }
      }
      box.add_drive(10 + random() % 120);
      const auto [w, m] = box.settle();
      widened += w;
      moved += m;
      ASSERT_FALSE(HasFailure()) << "round " << round;
    }
  }
  EXPECT_GT(widened, 1'000U);
  EXPECT_GT(moved, 1'000U);
  std::printf("%u segments written anew, %u shards moved\n", widened, moved);
}

}  // namespace
}  // namespace outcrop::segment
