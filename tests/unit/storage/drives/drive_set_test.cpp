// Drive identity, membership and epochs on simulated drives.
#include "storage/drives/drive_set.h"

#include <gtest/gtest.h>

#include "storage/drives/format.h"
#include "storage/io/sim_disk.h"

namespace outcrop::drives {
namespace {

using Disks = std::vector<std::unique_ptr<io::Disk>>;

io::SimWorld formatted(unsigned drives, unsigned parity, std::uint64_t seed = 1) {
  io::SimWorld world(drives, seed);
  SeededRandom random(seed);
  EXPECT_TRUE(DriveSet::format(world.open_disks(), parity, random));
  world.reboot(seed);
  return world;
}

Result<std::unique_ptr<DriveSet>> open_all(io::SimWorld& world) {
  return DriveSet::open(world.open_disks());
}

std::string message(const Result<std::unique_ptr<DriveSet>>& r) {
  return r ? "opened" : std::string(r.error().detail());
}

TEST(DriveSet, DefaultParityFollowsTheNumberOfDrives) {
  const std::vector<std::pair<std::size_t, unsigned>> table{{1, 0}, {2, 1},  {3, 1},  {4, 2},
                                                            {6, 2}, {11, 2}, {12, 3}, {64, 3}};
  for (const auto& [drives, parity] : table) {
    EXPECT_EQ(default_parity(drives), parity) << drives;
  }
}

TEST(DriveSet, OpensInAnyOrder) {
  io::SimWorld world = formatted(6, 2);
  Disks disks = world.open_disks();
  std::ranges::reverse(disks);
  const auto set = DriveSet::open(std::move(disks));
  ASSERT_TRUE(set) << message(set);
  EXPECT_EQ((*set)->slots(), 6U);
  EXPECT_EQ((*set)->epoch(), 1U);
  EXPECT_EQ((*set)->record().mirrors, (std::vector<Slot>{0, 1, 2}));
  for (Slot slot = 0; slot < 6; ++slot) {
    EXPECT_EQ((*set)->disk(slot)->name(), world.open_disks()[slot]->name());
  }
}

TEST(DriveSet, BlankDriveIsLeftOut) {
  io::SimWorld world = formatted(3, 1);
  world.add_drive();
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set) << message(set);
    EXPECT_EQ((*set)->slots(), 3U);
  }
  io::SimWorld blank(3);
  EXPECT_NE(message(open_all(blank)).find("is blank: is its filesystem mounted?"),
            std::string::npos);
}

TEST(DriveSet, RefusesForeignAndCloned) {
  io::SimWorld world = formatted(3, 1);
  io::SimWorld other = formatted(3, 1, 77);
  Disks mixed = world.open_disks();
  mixed[2] = std::move(other.open_disks()[2]);
  const auto foreign = DriveSet::open(std::move(mixed));
  EXPECT_NE(message(foreign).find("another cluster"), std::string::npos) << message(foreign);

  world.reboot(3);
  io::SimWorld copy = world.clone(5);
  copy.reboot(5);
  Disks cloned = world.open_disks();
  cloned.push_back(std::move(copy.open_disks()[0]));
  EXPECT_NE(message(DriveSet::open(std::move(cloned))).find("is a copy of"), std::string::npos);
}

TEST(DriveSet, RefusesWhatHoldsOtherFiles) {
  io::SimWorld world(2);
  Disks disks = world.open_disks();
  ASSERT_TRUE(disks[0]->make_dir("photos"));
  SeededRandom random(1);
  const auto formatted_over = DriveSet::format(disks, 1, random);
  ASSERT_FALSE(formatted_over);
  EXPECT_NE(formatted_over.error().detail().find("is not empty"), std::string_view::npos);
  disks.clear();
  world.reboot(1);
  EXPECT_NE(message(open_all(world)).find("holds other files"), std::string::npos);
}

TEST(DriveSet, SecondProcessIsRefused) {
  io::SimWorld world = formatted(3, 1);
  const auto first = open_all(world);
  ASSERT_TRUE(first) << message(first);
  EXPECT_NE(message(open_all(world)).find("in use by another process"), std::string::npos);
}

TEST(DriveSet, ADriveThatCannotBeLockedIsMissing) {
  io::SimWorld world = formatted(3, 1);
  world.add_error({.drive = 1, .path_part = "lock"});
  const auto set = open_all(world);
  ASSERT_TRUE(set) << message(set);
  EXPECT_FALSE((*set)->live(1));
  EXPECT_EQ((*set)->live_slots(), (std::vector<Slot>{0, 2}));
}

TEST(DriveSet, DamagedSuperblockCopyIsSurvivedBothAreNot) {
  io::SimWorld world = formatted(3, 1);
  ASSERT_TRUE(world.corrupt(1, kSuperblockFile, 100, 1));
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set) << message(set);
  }
  world.reboot(2);
  ASSERT_TRUE(world.corrupt(1, kSuperblockFile, kSlotBytes + 9, 1));
  const auto without = open_all(world);
  ASSERT_TRUE(without) << message(without);
  EXPECT_EQ((*without)->live_slots(), (std::vector<Slot>{0, 2}));
}

TEST(DriveSet, MissingDriveIsANewEpochAndComesBackWithoutMetadata) {
  io::SimWorld world = formatted(6, 2);
  world.remove_drive(0);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set) << message(set);
    EXPECT_EQ((*set)->epoch(), 2U);
    EXPECT_FALSE((*set)->live(0));
    EXPECT_EQ((*set)->record().mirrors, (std::vector<Slot>{1, 2}));
    ASSERT_TRUE((*set)->set_mirrors({1, 2, 3}));
  }
  world.restore_drive(0);
  world.reboot(3);
  const auto set = open_all(world);
  ASSERT_TRUE(set) << message(set);
  EXPECT_TRUE((*set)->live(0));
  EXPECT_EQ((*set)->epoch(), 4U);
  EXPECT_EQ((*set)->current_at_open(), (std::vector<Slot>{1, 2, 3, 4, 5}));
  EXPECT_EQ((*set)->record().mirrors, (std::vector<Slot>{1, 2, 3}));
}

TEST(DriveSet, EverySubsetBeyondParityIsRefused) {
  for (unsigned mask = 0; mask < 64; ++mask) {
    io::SimWorld world = formatted(6, 2);
    for (unsigned drive = 0; drive < 6; ++drive) {
      if (mask & (1U << drive)) {
        world.remove_drive(drive);
      }
    }
    EXPECT_EQ(open_all(world).has_value(), std::popcount(mask) <= 2) << mask;
  }
}

TEST(DriveSet, EjectFencesTheDriveAndStopsAtParity) {
  io::SimWorld world = formatted(4, 2);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set) << message(set);
    std::vector<Slot> heard;
    (*set)->on_change([&](Slot s) { heard.push_back(s); });
    ASSERT_TRUE((*set)->eject(3, Error(Errc::io_error)));
    ASSERT_TRUE((*set)->eject(3, Error(Errc::io_error)));
    EXPECT_EQ(heard, std::vector<Slot>{3});
    EXPECT_EQ((*set)->epoch(), 2U);
    const auto below = (*set)->eject(2, Error(Errc::io_error));
    ASSERT_FALSE(below);
    EXPECT_EQ(below.error().code(), Errc::read_only);
  }
  world.reboot(2);
  const auto again = open_all(world);
  ASSERT_TRUE(again) << message(again);
  EXPECT_EQ((*again)->current_at_open(), (std::vector<Slot>{0, 1, 2}));
}

// As when the power goes: one after the other, with the last to go still writing.
TEST(DriveSet, NoEpochIsOfDrivesThatMayLackMetadata) {
  io::SimWorld world = formatted(6, 2);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set) << message(set);
    ASSERT_TRUE((*set)->eject(3, Error(Errc::io_error)));
    ASSERT_TRUE((*set)->eject(4, Error(Errc::io_error)));
    EXPECT_EQ((*set)->write_parity(4), 2U);
    const auto third = (*set)->eject(5, Error(Errc::io_error));
    ASSERT_FALSE(third) << "a journal block may have been on these three only";
    EXPECT_EQ(third.error().code(), Errc::read_only);
    EXPECT_EQ((*set)->write_parity(3), std::nullopt) << "nothing is acknowledged without an epoch";
    EXPECT_FALSE((*set)->set_mirrors({0, 1}));
  }
  world.reboot(2);
  {
    const auto again = open_all(world);
    ASSERT_TRUE(again) << message(again);
    EXPECT_EQ((*again)->current_at_open(), (std::vector<Slot>{0, 1, 2, 5}));
    const EpochRecord record = (*again)->record();
    EXPECT_TRUE(record.members[3].missed && record.members[3].returning)
        << "it is back without metadata";
    EXPECT_FALSE((*again)->eject(0, Error(Errc::io_error))) << "also after a restart";
  }
  world.reboot(3);
  const auto settled = open_all(world);
  ASSERT_TRUE(settled) << message(settled);
  EXPECT_EQ((*settled)->current_at_open().size(), 6U);
  ASSERT_TRUE((*settled)->settle_metadata((*settled)->record()));
  EXPECT_TRUE((*settled)->eject(0, Error(Errc::io_error))) << "after a checkpoint two more may go";
  EXPECT_TRUE((*settled)->eject(1, Error(Errc::io_error)));
}

TEST(DriveSet, NoEpochIsWithoutAMirror) {
  io::SimWorld world = formatted(6, 2);
  const auto set = open_all(world);
  ASSERT_TRUE(set) << message(set);
  for (const Slot mirror : {0, 1}) {
    ASSERT_TRUE((*set)->eject(mirror, Error(Errc::io_error)));
    ASSERT_TRUE((*set)->settle_metadata((*set)->record()));
  }
  EXPECT_FALSE((*set)->eject(2, Error(Errc::io_error))) << "there is no other mirror yet";
  EXPECT_EQ((*set)->record().mirrors, std::vector<Slot>{2});
}

TEST(DriveSet, DrivesThatFailWhileAnEpochIsWrittenDoNotLeaveTheLastOneAlone) {
  for (const std::vector<unsigned>& failing :
       {std::vector{0U, 2U, 3U, 5U}, {0U, 2U, 3U, 4U}, {0U, 2U}, {4U, 5U}}) {
    io::SimWorld world = formatted(6, 2);
    {
      const auto set = open_all(world);
      ASSERT_TRUE(set) << message(set);
      std::ranges::for_each(failing, [&](unsigned drive) { world.remove_drive(drive); });
      EXPECT_FALSE((*set)->eject(1, Error(Errc::io_error)));
    }
    std::ranges::for_each(failing, [&](unsigned drive) { world.restore_drive(drive); });
    world.reboot(2);
    const auto again = open_all(world);
    ASSERT_TRUE(again) << message(again);
    EXPECT_EQ((*again)->current_at_open().size(), 6U) << "all are what they were";
    EXPECT_EQ((*again)->record().mirrors, (std::vector<Slot>{0, 1, 2}));
  }
}

// The record that was refused lies on the drives that are left: one of the same number that says
// something else must not follow.
TEST(DriveSet, TheNumberOfARefusedEpochIsNotGivenToAnother) {
  io::SimWorld world = formatted(8, 2);
  const auto set = open_all(world);
  ASSERT_TRUE(set) << message(set);
  ASSERT_TRUE((*set)->eject(7, Error(Errc::io_error)));
  const EpochRecord seen = (*set)->record();
  ASSERT_EQ(seen.epoch, 2U);
  for (const unsigned drive : {5U, 6U}) {
    world.add_error({.drive = drive, .step = io::SimStep::write});
  }
  EXPECT_FALSE((*set)->eject(4, Error(Errc::io_error)));  // 3 was written to all that are left
  EXPECT_EQ((*set)->record(), seen);
  ASSERT_FALSE((*set)->settle_metadata(seen)) << "three are missed all the same";
  EpochRecord of_two = seen;
  of_two.members[4].missed = of_two.members[5].missed = true;
  EXPECT_TRUE((*set)->settle_metadata(of_two));
  EXPECT_EQ((*set)->epoch(), 4U);
}

TEST(DriveSet, ReducedRedundancyGoesDownToOneDriveAndFencesTheOthers) {
  io::SimWorld world = formatted(3, 1);
  {
    const auto set = DriveSet::open(world.open_disks(), {.allow_reduced_redundancy = true});
    ASSERT_TRUE(set) << message(set);
    EXPECT_EQ((*set)->write_parity(3), 1U);
    EXPECT_EQ((*set)->write_parity(1), 0U);
    EXPECT_EQ((*set)->write_parity(0), std::nullopt);
    ASSERT_TRUE((*set)->eject(2, Error(Errc::io_error)));
    ASSERT_TRUE((*set)->settle_metadata((*set)->record()));
    ASSERT_TRUE((*set)->eject(0, Error(Errc::io_error)));
    EXPECT_FALSE((*set)->eject(1, Error(Errc::io_error))) << "none is left";
  }
  world.reboot(2);
  const auto again = open_all(world);
  ASSERT_TRUE(again) << message(again);
  EXPECT_EQ((*again)->current_at_open(), std::vector<Slot>{1}) << "the others missed writes";
  EXPECT_EQ((*again)->write_parity(1), std::nullopt);
}

TEST(DriveSet, CrashAtEveryStepOfFormatAndEjectIsOldOrNew) {
  for (const io::CrashMode mode :
       {io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn}) {
    for (std::uint64_t step = 1;; ++step) {
      io::SimWorld world = formatted(4, 1);
      bool finished = false;
      {
        const auto set = open_all(world);
        ASSERT_TRUE(set);
        world.crash_at(step, mode);
        const bool ejected = (*set)->eject(2, Error(Errc::io_error)).has_value();
        finished = ejected && !world.crashed();
      }
      world.reboot(step);
      const auto set = open_all(world);
      ASSERT_TRUE(set) << message(set);
      const auto& current = (*set)->current_at_open();
      if (finished) {
        EXPECT_EQ(current, (std::vector<Slot>{0, 1, 3}));
        break;
      }
      EXPECT_GE(current.size(), 2U);
    }
  }
}

TEST(DriveSet, HalfWrittenFormatIsRefused) {
  for (std::uint64_t step = 1;; ++step) {
    io::SimWorld world(3);
    SeededRandom random(1);
    world.crash_at(step, io::CrashMode::torn);
    const bool done = DriveSet::format(world.open_disks(), 1, random).has_value();
    const bool crashed = world.crashed();
    world.reboot(step);
    const auto set = open_all(world);
    if (set) {
      EXPECT_EQ((*set)->slots(), 3U);
    }
    if (done && !crashed) {
      EXPECT_TRUE(set) << message(set);
      break;
    }
  }
}

}  // namespace
}  // namespace outcrop::drives
