// What drives of different sizes hold together.
#include <gtest/gtest.h>

#include <random>

#include "storage/segment/capacity.h"
#include "storage/segment/format.h"

namespace outcrop::segment {
namespace {

TEST(Capacity, EqualDrivesHoldTheShareOfDataShards) {
  EXPECT_EQ(usable_bytes({600, 600, 600, 600, 600, 600}, 2), 2400U);
  EXPECT_EQ(usable_bytes({600, 600, 600}, 1), 1200U);
  EXPECT_EQ(usable_bytes({600}, 0), 600U);
}

TEST(Capacity, ASmallDriveIsLeftOutOnceItIsFull) {
  // 4+2 until the small one is full, then 3+2.
  EXPECT_EQ(usable_bytes({1000, 1000, 400, 1000, 1000, 1000}, 2), 400U * 4 + 600U * 3);
}

TEST(Capacity, WhatFewerThanParityAndOneHaveIsOfNoUse) {
  EXPECT_EQ(usable_bytes({1000, 1000, 10}, 2), 10U);
  EXPECT_EQ(usable_bytes({1000, 500}, 1), 500U);
  EXPECT_EQ(usable_bytes({1000, 1000}, 2), 0U);
  EXPECT_EQ(usable_bytes({}, 0), 0U);
}

TEST(Capacity, MoreDrivesThanShardsRotate) {
  EXPECT_EQ(usable_bytes(std::vector<std::uint64_t>(20, 160), 4), 20U * 160 / 16 * 12);
}

// The bytes that are left when unit by unit is laid over all drives with room.
TEST(Capacity, IsWhatLayingSegmentsGives) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const unsigned parity = random() % 4;
    std::vector<std::uint64_t> rooms(1 + random() % kMaxShards);
    for (auto& room : rooms) {
      room = random() % 50;
    }
    const std::uint64_t expected = usable_bytes(rooms, parity);
    std::uint64_t laid = 0;
    for (;;) {
      const auto left = static_cast<unsigned>(
          std::ranges::count_if(rooms, [](std::uint64_t room) { return room > 0; }));
      if (left <= parity) {
        break;
      }
      laid += left - parity;
      for (auto& room : rooms) {
        room -= room > 0 ? 1 : 0;
      }
    }
    EXPECT_EQ(laid, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace outcrop::segment
