// Drives that join, return, drain and leave for good, with a crash at every step of it.
#include <gtest/gtest.h>

#include "storage/drives/drive_set.h"
#include "storage/drives/format.h"
#include "storage/io/sim_disk.h"

namespace outcrop::drives {
namespace {

constexpr std::array kModes{io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn};

io::SimWorld formatted(unsigned drives, unsigned parity, std::uint64_t seed = 1) {
  io::SimWorld world(drives, seed);
  SeededRandom random(seed);
  EXPECT_TRUE(DriveSet::format(world.open_disks(), parity, random));
  world.reboot(seed);
  return world;
}

std::unique_ptr<DriveSet> open_all(io::SimWorld& world) {
  auto set = DriveSet::open(world.open_disks());
  EXPECT_TRUE(set) << set.error().detail();
  if (!set) {
    return nullptr;
  }
  (*set)->take_blank();  // lets them go, for join()
  return *std::move(set);
}

Result<Slot> join(DriveSet& set, io::SimWorld& world, unsigned drive) {
  SeededRandom random(drive + 100);
  return set.join(*world.open_disk(drive), random);
}

std::string why(const auto& result) { return result ? "ok" : std::string(result.error().detail()); }

TEST(Membership, ABlankDriveJoinsAndIsThereAfterARestart) {
  io::SimWorld world = formatted(3, 1);
  world.add_drive();
  {
    const auto set = open_all(world);
    std::vector<Slot> heard;
    set->on_change([&](Slot s) { heard.push_back(s); });
    const auto slot = join(*set, world, 3);
    ASSERT_TRUE(slot) << why(slot);
    EXPECT_EQ(*slot, 3);
    EXPECT_EQ(heard, std::vector<Slot>{3});
    EXPECT_TRUE(set->live(3));
    EXPECT_EQ(set->slots(), 4U);
    EXPECT_EQ(set->placement_slots(), (std::vector<Slot>{0, 1, 2, 3}));
    EXPECT_NE(why(join(*set, world, 3)).find("in use"), std::string::npos);
  }
  world.reboot(2);
  const auto set = open_all(world);
  EXPECT_EQ(set->current_at_open(), (std::vector<Slot>{0, 1, 2, 3}));
  EXPECT_EQ(set->epoch(), 2U) << "nothing changed at this start";
}

// One epoch for both: who is cut off in between would have added a drive and replaced none.
TEST(Membership, ADriveThatReplacesAnotherDrainsItWithTheSameEpoch) {
  io::SimWorld world = formatted(3, 1);
  world.add_drive();
  const auto set = open_all(world);
  const std::uint64_t epoch = set->epoch();
  SeededRandom random(7);
  EXPECT_EQ(set->join(*world.open_disk(3), random, Slot{9}).error().code(), Errc::not_found);
  EXPECT_EQ(set->epoch(), epoch);
  std::vector<Slot> heard;
  set->on_change([&](Slot s) { heard.push_back(s); });
  const auto slot = set->join(*world.open_disk(3), random, Slot{1});
  ASSERT_TRUE(slot) << why(slot);
  EXPECT_EQ(set->epoch(), epoch + 1);
  EXPECT_TRUE(set->draining(1));
  EXPECT_TRUE(set->record().members[1].draining);
  EXPECT_EQ(set->placement_slots(), (std::vector<Slot>{0, 2, 3}));
  std::ranges::sort(heard);
  EXPECT_EQ(heard, (std::vector<Slot>{1, 3}));
}

TEST(Membership, WhatIsNotBlankIsRefused) {
  io::SimWorld world = formatted(3, 1);
  io::SimWorld other = formatted(6, 2, 77);
  world.add_drive();
  ASSERT_TRUE((*world.open_disk(3))->make_dir("photos"));
  const auto set = open_all(world);
  EXPECT_NE(why(join(*set, world, 3)).find("holds other files"), std::string::npos);
  EXPECT_NE(why(join(*set, other, 5)).find("belongs to another cluster"), std::string::npos);
  EXPECT_EQ(set->slots(), 3U);
}

TEST(Membership, AMemberThatWasAwayIsNotAdded) {
  io::SimWorld world = formatted(3, 1);
  world.remove_drive(1);
  const auto set = open_all(world);
  world.restore_drive(1);
  EXPECT_NE(why(join(*set, world, 1)).find("taken back"), std::string::npos);
}

TEST(Membership, AReturningDriveIsSettledOnce) {
  io::SimWorld world = formatted(3, 1);
  world.remove_drive(1);
  open_all(world).reset();
  world.restore_drive(1);
  for (int start = 0; start < 2; ++start) {  // the flag stays until somebody settles it
    world.reboot(3);
    const auto set = open_all(world);
    EXPECT_TRUE(set->record().members[1].returning);
    EXPECT_TRUE(set->live(1));
  }
  world.reboot(4);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set->settle_returning());
    EXPECT_FALSE(set->record().members[1].returning);
  }
  world.reboot(5);
  EXPECT_FALSE(open_all(world)->record().members[1].returning);
}

TEST(Membership, DrainingIsRememberedAndTakesNoNewData) {
  io::SimWorld world = formatted(3, 1);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set->set_draining(2, true));
    EXPECT_EQ(set->placement_slots(), (std::vector<Slot>{0, 1}));
    EXPECT_EQ(set->live_slots(), (std::vector<Slot>{0, 1, 2}));
    EXPECT_EQ(set->set_draining(9, true).error().code(), Errc::not_found);
  }
  world.reboot(2);
  const auto set = open_all(world);
  EXPECT_TRUE(set->draining(2));
  ASSERT_TRUE(set->set_draining(2, false));
  EXPECT_EQ(set->placement_slots(), (std::vector<Slot>{0, 1, 2}));
}

TEST(Membership, ARemovedDriveIsLeftOutAndMayBeAddedAgain) {
  io::SimWorld world = formatted(4, 1);
  {
    const auto set = open_all(world);
    ASSERT_TRUE(set->remove(1));
    EXPECT_FALSE(set->live(1));
    EXPECT_EQ(set->remove(1).error().code(), Errc::not_found);
    world.add_drive();
    EXPECT_EQ(*join(*set, world, 4), 4) << "no slot has two drives in one run";
  }
  world.reboot(2);
  const auto set = open_all(world);
  EXPECT_EQ(set->current_at_open(), (std::vector<Slot>{0, 2, 3, 4}));
  const auto again = join(*set, world, 1);
  ASSERT_TRUE(again) << why(again);
  EXPECT_EQ(*again, 1) << "its old slot is free";
  EXPECT_EQ((*world.open_disk(1))->list("segments")->size(), 0U);
}

// The slot of a removed drive that is still plugged in, with its old record, has another drive now.
TEST(Membership, TheOldOwnerOfASlotDoesNotMakeTheNewOneLookStale) {
  io::SimWorld world = formatted(3, 1);
  ASSERT_TRUE(open_all(world)->remove(2));
  world.reboot(2);
  world.remove_drive(2);
  world.add_drive();
  {
    const auto set = open_all(world);
    ASSERT_EQ(*join(*set, world, 3), 2);
  }
  world.restore_drive(2);
  world.reboot(3);
  const auto set = open_all(world);
  EXPECT_EQ(set->current_at_open(), (std::vector<Slot>{0, 1, 2}));
  EXPECT_EQ(set->disk(2)->name(), (*world.open_disk(3))->name());
}

// Drive 0 alone got an epoch; the others went on without it and came to the same number.
TEST(Membership, ACutOffEpochIsNotTakenForTheOneOfTheSameNumber) {
  for (std::uint64_t step = 1;; ++step) {
    io::SimWorld world = formatted(3, 1);
    {
      const auto set = open_all(world);
      world.crash_at(step, io::CrashMode::after);
      if (set->eject(2, Error(Errc::io_error)) && !world.crashed()) {
        break;
      }
    }
    world.reboot(step);
    world.remove_drive(0);
    {
      const auto set = DriveSet::open(world.open_disks());
      if (!set) {
        continue;  // drive 1 had it too: then 0 and 1 are the cluster
      }
      ASSERT_TRUE((*set)->live(1) && (*set)->live(2));
    }
    world.restore_drive(0);
    world.reboot(step + 1);
    const auto set = open_all(world);
    EXPECT_EQ(set->current_at_open(), (std::vector<Slot>{1, 2})) << "step " << step;
  }
}

TEST(Membership, CrashAtEveryStepOfAJoinIsOldOrNewAndCanBeRepeated) {
  for (const io::CrashMode mode : kModes) {
    for (std::uint64_t step = 1;; ++step) {
      io::SimWorld world = formatted(3, 1);
      world.add_drive();
      bool finished = false;
      {
        const auto set = open_all(world);
        world.crash_at(step, mode);
        finished = join(*set, world, 3).has_value() && !world.crashed();
      }
      world.reboot(step);
      const auto set = open_all(world);
      ASSERT_TRUE(set) << "step " << step;
      for (const Slot slot : {0, 1, 2}) {
        EXPECT_TRUE(set->live(slot)) << "step " << step;
      }
      if (finished) {
        EXPECT_TRUE(set->live(3));
        break;
      }
      if (!set->live(3)) {
        const auto again = join(*set, world, 3);
        EXPECT_TRUE(again) << "step " << step << ": " << why(again);
      }
    }
  }
}

TEST(Membership, CrashAtEveryStepOfARemovalIsOldOrNew) {
  for (const io::CrashMode mode : kModes) {
    for (std::uint64_t step = 1;; ++step) {
      io::SimWorld world = formatted(4, 1);
      bool finished = false;
      {
        const auto set = open_all(world);
        world.crash_at(step, mode);
        finished = set->remove(3).has_value() && !world.crashed();
      }
      world.reboot(step);
      const auto set = open_all(world);
      ASSERT_TRUE(set) << "step " << step;
      EXPECT_EQ(set->current_at_open().size(), set->live(3) ? 4U : 3U) << "step " << step;
      if (finished) {
        EXPECT_FALSE(set->live(3));
        break;
      }
    }
  }
}

// Which part of the drives may start alone: with state_dir all but m, without it a majority.
class Witness : public testing::Test {
 protected:
  Result<std::unique_ptr<DriveSet>> open(io::SimWorld& world, bool reduced = false) {
    box.reboot(++x_seed);
    x_state_dir = *box.open_disk(0);
    return DriveSet::open(world.open_disks(),
                          {.allow_reduced_redundancy = reduced, .witness = x_state_dir.get()});
  }
  /// The world as a machine finds it with only these drives.
  io::SimWorld only(io::SimWorld& world, std::initializer_list<unsigned> drives) {
    io::SimWorld copy = world.clone(++x_seed);
    copy.reboot(x_seed);
    for (unsigned drive = 0; drive < copy.drives(); ++drive) {
      if (std::ranges::find(drives, drive) == drives.end()) {
        copy.remove_drive(drive);
      }
    }
    return copy;
  }

  io::SimWorld box{1};  // drive 0 is its state_dir

 private:
  std::uint64_t x_seed = 100;
  std::unique_ptr<io::Disk> x_state_dir;
};

TEST_F(Witness, HalfOfTheDrivesMayStartWhereTheyLastRan) {
  for (const auto& [drives, parity] : {std::pair{2U, 1U}, std::pair{4U, 2U}}) {
    io::SimWorld world = formatted(drives, parity);
    ASSERT_TRUE(open(world));  // the box knows epoch 1 now
    world.reboot(2);
    for (unsigned gone = 0; gone < drives / 2; ++gone) {
      world.remove_drive(gone);
    }
    {
      io::SimWorld elsewhere = world.clone(5);
      elsewhere.reboot(5);
      const auto other_box = DriveSet::open(elsewhere.open_disks());
      ASSERT_FALSE(other_box);
      EXPECT_NE(other_box.error().detail().find("state_dir"), std::string_view::npos);
    }
    const auto set = open(world);
    ASSERT_TRUE(set) << set.error().detail();
    EXPECT_EQ((*set)->live_slots().size(), drives / 2);
    EXPECT_EQ((*set)->write_parity(drives / 2), std::nullopt) << "to be read";
  }
}

// Drive 1 died, drive 0 went on with a new one. Drive 1 alone must never be the store again.
TEST_F(Witness, TheHalfThatMissedAnEpochDoesNotStart) {
  io::SimWorld world = formatted(2, 1);
  world.add_drive();
  {
    const auto set = open(world);
    ASSERT_TRUE(set);
    (*set)->take_blank();
    EXPECT_EQ((*set)->eject(1, Error(Errc::io_error)).error().code(), Errc::read_only);
    ASSERT_TRUE(join(**set, world, 2));
    ASSERT_TRUE((*set)->set_mirrors({0, 2}));
    ASSERT_TRUE((*set)->settle_metadata((*set)->record()));
  }
  world.reboot(2);
  io::SimWorld stale = only(world, {1});
  const auto refused = open(stale);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail().find("were away"), std::string_view::npos)
      << refused.error().detail();
  io::SimWorld fresh = only(world, {2});
  EXPECT_TRUE(open(fresh)) << "one of the two that went on, where they did";
}

TEST_F(Witness, WithReducedRedundancyOnlyAMajorityStarts) {
  io::SimWorld world = formatted(2, 1);
  ASSERT_TRUE(open(world));
  world.reboot(2);
  io::SimWorld half = only(world, {0});
  EXPECT_FALSE(open(half, true));
}

TEST_F(Witness, AChangeThatItMustKnowIsRefusedIfItCannotBeTold) {
  io::SimWorld world = formatted(4, 2);
  world.add_drive();
  const auto set = open(world);
  ASSERT_TRUE(set);
  (*set)->take_blank();
  box.add_error({.drive = 0, .step = io::SimStep::write});
  EXPECT_TRUE((*set)->eject(3, Error(Errc::io_error))) << "three are more than parity";
  EXPECT_EQ((*set)->eject(2, Error(Errc::io_error)).error().code(), Errc::read_only);
  const auto joined = join(**set, world, 4);
  ASSERT_FALSE(joined) << "2 and 3 could take themselves for the newest";
  EXPECT_EQ(joined.error().code(), Errc::read_only);
}

TEST_F(Witness, AllDrivesPutBackToAnEarlierStateStart) {
  io::SimWorld world = formatted(3, 1);
  ASSERT_TRUE(open(world));
  world.reboot(2);
  io::SimWorld earlier = world.clone(3);
  earlier.reboot(3);
  ASSERT_TRUE((*open(world))->set_draining(1, true));
  const auto set = open(earlier);
  EXPECT_TRUE(set) << set.error().detail();
}

TEST(EpochRecord, FlagsNeedVersionTwoAndPlainRecordsStayReadableForOlderReleases) {
  EpochRecord record{.cluster = {{1}}, .epoch = 7, .parity = 1, .members = {}, .mirrors = {0}};
  record.members.push_back({.uuid = {{2}}});
  record.members.push_back({.uuid = {{3}}, .live = false});
  const auto version = [](const SlotBytes& slot) { return std::to_integer<int>(slot[8]); };
  EXPECT_EQ(version(encode(record)), 1);
  EXPECT_EQ(*decode_epoch(encode(record)), record);
  record.members[0].draining = record.members[0].returning = true;
  record.members.push_back({.uuid = {}, .live = false});
  EXPECT_EQ(version(encode(record)), 2);
  EXPECT_EQ(*decode_epoch(encode(record)), record);
  record.members[1].missed = true;
  EXPECT_EQ(version(encode(record)), 3);
  EXPECT_EQ(*decode_epoch(encode(record)), record);
}

}  // namespace
}  // namespace outcrop::drives
