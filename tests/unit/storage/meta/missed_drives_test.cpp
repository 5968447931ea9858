// Which drives that left are not missed any more, by what is in the mirrors.
#include "storage/meta/missed_drives.h"

#include <gtest/gtest.h>

namespace outcrop::meta {
namespace {

using drives::EpochRecord;

/// Slots 0 to 3; those named are missed.
EpochRecord record(std::uint64_t epoch, const std::vector<unsigned>& missed) {
  EpochRecord out;
  out.epoch = epoch;
  out.members.resize(4);
  for (unsigned slot = 0; slot < out.members.size(); ++slot) {
    out.members[slot].uuid.bytes[0] = static_cast<std::uint8_t>(slot + 1);
  }
  for (const unsigned slot : missed) {
    out.members[slot].missed = true;
  }
  return out;
}

using Sequences = std::vector<Sequence>;

TEST(MissedDrives, NobodyIsMissed) {
  MissedDrives missed;
  missed.note(record(1, {}), {5, 5});
  EXPECT_FALSE(missed.due({9, 9}));
  EXPECT_TRUE(missed.awaited().empty());
}

TEST(MissedDrives, WhatWasOnItsWayIsWaitedFor) {
  MissedDrives missed;
  missed.note(record(2, {1}), {5, 7});
  EXPECT_EQ(missed.awaited(), (Sequences{5, 7}));
  EXPECT_FALSE(missed.due({5, 6}));
  EXPECT_FALSE(missed.due({4, 7}));
  EXPECT_EQ(missed.due({5, 7}), record(2, {1}));
  EXPECT_EQ(missed.due({5, 7}), record(2, {1})) << "until it is dealt with";
  missed.settled(record(2, {1}));
  EXPECT_FALSE(missed.due({9, 9}));
  EXPECT_TRUE(missed.awaited().empty());
}

TEST(MissedDrives, OneThatLeavesLaterWaitsForMore) {
  MissedDrives missed;
  missed.note(record(2, {1}), {5, 7});
  missed.note(record(2, {1}), {6, 7});  // known
  missed.note(record(3, {1, 2}), {8, 9});
  EXPECT_EQ(missed.due({5, 7}), record(2, {1}));
  missed.settled(record(2, {1}));
  EXPECT_EQ(missed.awaited(), (Sequences{8, 9}));
  EXPECT_FALSE(missed.due({8, 8}));
  EXPECT_EQ(missed.due({8, 9}), record(3, {1, 2}));
  missed.settled(record(3, {1, 2}));
  missed.note(record(5, {1}), {20, 9});  // it came back, and left again
  EXPECT_EQ(missed.awaited(), (Sequences{20, 9}));
}

TEST(MissedDrives, WhatIsDueIsDueAtOnce) {
  MissedDrives missed;
  missed.note(record(2, {1}), {5});
  missed.note(record(3, {1, 2}), {8});
  missed.note(record(4, {1, 2, 3}), {9});
  EXPECT_EQ(missed.due({8}), record(3, {1, 2}));
  missed.settled(record(3, {1, 2}));
  EXPECT_EQ(missed.awaited(), Sequences{9});
}

TEST(MissedDrives, AnotherDriveInTheSlotIsAnother) {
  MissedDrives missed;
  missed.note(record(2, {1}), {5});
  EpochRecord other = record(3, {1});
  other.members[1].uuid.bytes[0] = 99;
  missed.note(other, {8});
  EXPECT_EQ(missed.due({5}), record(2, {1}));
  EXPECT_EQ(missed.due({8}), other);
}

}  // namespace
}  // namespace outcrop::meta
