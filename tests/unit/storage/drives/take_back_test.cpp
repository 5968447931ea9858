// Drives that are taken back while the set is open, with a crash at every step of it.
#include <gtest/gtest.h>

#include "storage/drives/drive_set.h"
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
  return set ? *std::move(set) : nullptr;
}

Result<void> no_stock(Slot, const std::function<void()>& show) {
  show();
  return ok();
}

/// Pulled while the set is open; what it had of the metadata is on the others by now.
void lose(DriveSet& set, io::SimWorld& world, unsigned drive) {
  world.remove_drive(drive);
  ASSERT_TRUE(set.eject(static_cast<Slot>(drive), Error(Errc::io_error, "pulled")));
  ASSERT_TRUE(set.settle_metadata(set.record()));
  set.disk(static_cast<Slot>(drive))->retire();
}

Result<Slot> take_back(DriveSet& set, io::SimWorld& world, unsigned drive) {
  return set.take_back(*world.open_disk(drive), no_stock);
}

std::string why(const auto& result) { return result ? "ok" : std::string(result.error().detail()); }

TEST(TakeBack, ADriveThatWasPulledIsLiveAgainAndReturning) {
  io::SimWorld world = formatted(4, 2);
  const auto set = open_all(world);
  std::vector<Slot> heard;
  set->on_change([&](Slot s) { heard.push_back(s); });
  {
    const auto disk = *world.open_disk(1);
    ASSERT_TRUE(disk->make_dir("meta/left"));
  }
  lose(*set, world, 1);
  world.replug_drive(1, 5);
  heard.clear();
  const std::uint64_t epoch = set->epoch();
  {
    const auto disk = *world.open_disk(1);
    EXPECT_EQ(set->whose(*disk), Slot{1});
  }
  bool live_before = true;
  const auto slot = set->take_back(*world.open_disk(1), [&](Slot s, const auto& show) {
    show();
    live_before = set->live(s);
    EXPECT_TRUE(*set->disk(s)->exists("lock")) << "it can be used by now";
    return ok();
  });
  ASSERT_TRUE(slot) << why(slot);
  EXPECT_EQ(*slot, 1);
  EXPECT_FALSE(live_before);
  EXPECT_TRUE(set->live(1));
  EXPECT_TRUE(set->record().members[1].returning);
  EXPECT_EQ(set->epoch(), epoch + 1);
  EXPECT_EQ(heard, std::vector<Slot>{1});
  EXPECT_FALSE(*set->disk(1)->exists("meta/left")) << "its metadata is out of date";
  EXPECT_EQ((*world.open_disk(1))->lock().error().code(), Errc::already_exists);
  ASSERT_TRUE(set->eject(1, Error(Errc::io_error, "again")));
  EXPECT_FALSE(set->live(1));
}

TEST(TakeBack, NotBeforeItsEarlierLifeHasEnded) {
  io::SimWorld world = formatted(4, 2);
  const auto set = open_all(world);
  const auto file = std::move(*set->disk(1)->open("f", io::Access::create, io::Cache::buffered));
  world.remove_drive(1);
  ASSERT_TRUE(set->eject(1, Error(Errc::io_error, "pulled")));
  world.restore_drive(1);
  EXPECT_EQ(take_back(*set, world, 1).error().code(), Errc::unavailable) << "not retired";
  set->disk(1)->retire();
  EXPECT_EQ(take_back(*set, world, 1).error().code(), Errc::unavailable) << "a file is open";
}

TEST(TakeBack, NotBeforeItsMetadataIsOnTheOthers) {
  io::SimWorld world = formatted(4, 2);
  const auto set = open_all(world);
  world.remove_drive(1);
  ASSERT_TRUE(set->eject(1, Error(Errc::io_error, "pulled")));
  set->disk(1)->retire();
  world.replug_drive(1, 2);
  const auto early = take_back(*set, world, 1);
  EXPECT_EQ(early.error().code(), Errc::unavailable);
  EXPECT_NE(why(early).find("metadata"), std::string::npos) << why(early);
  ASSERT_TRUE(set->settle_metadata(set->record()));
  EXPECT_TRUE(take_back(*set, world, 1));
}

// A checkpoint that began before it was taken back says nothing of what it had after.
TEST(TakeBack, WhatItHasWhenItLeavesAgainIsMissedAnew) {
  io::SimWorld world = formatted(4, 2);
  const auto set = open_all(world);
  world.remove_drive(1);
  ASSERT_TRUE(set->eject(1, Error(Errc::io_error, "pulled")));
  const EpochRecord seen = set->record();
  ASSERT_TRUE(set->settle_metadata(seen));
  set->disk(1)->retire();
  world.replug_drive(1, 2);
  ASSERT_TRUE(take_back(*set, world, 1));
  world.remove_drive(1);
  ASSERT_TRUE(set->eject(1, Error(Errc::io_error, "pulled again")));
  ASSERT_TRUE(set->settle_metadata(seen));
  EXPECT_TRUE(set->record().members[1].missed);
  ASSERT_TRUE(set->settle_metadata(set->record()));
  EXPECT_FALSE(set->record().members[1].missed);
}

TEST(TakeBack, OthersAreRefused) {
  io::SimWorld world = formatted(4, 2);
  io::SimWorld other = formatted(4, 2, 77);
  const auto set = open_all(world);
  io::SimWorld copy = world.clone(3);
  EXPECT_NE(why(take_back(*set, copy, 2)).find("is a copy of"), std::string::npos);
  EXPECT_NE(why(take_back(*set, other, 2)).find("another cluster"), std::string::npos);
  EXPECT_FALSE(set->whose(**other.open_disk(2)));
  const unsigned blank = world.add_drive();
  EXPECT_FALSE(set->whose(**world.open_disk(blank)));
  EXPECT_FALSE(take_back(*set, world, blank)) << "blank drives are added by hand";
  lose(*set, world, 1);
  {
    // The drive went on with others in another box, where two more epochs were written.
    io::SimWorld elsewhere = world.clone(4);
    elsewhere.restore_drive(1);
    elsewhere.remove_drive(0);
    elsewhere.reboot(4);
    open_all(elsewhere).reset();
    elsewhere.restore_drive(0);
    elsewhere.remove_drive(3);
    elsewhere.reboot(5);
    open_all(elsewhere).reset();
    EXPECT_NE(why(take_back(*set, elsewhere, 1)).find("without the others"), std::string::npos);
  }
  world.replug_drive(1, 2);
  ASSERT_TRUE(set->remove(1));
  EXPECT_NE(why(take_back(*set, world, 1)).find("no member"), std::string::npos);
}

TEST(TakeBack, OneThatFailsMeanwhileStaysAwayAndMayTryAgain) {
  io::SimWorld world = formatted(4, 2);
  const auto set = open_all(world);
  lose(*set, world, 1);
  world.replug_drive(1, 2);
  for (const char* part : {"epoch", "meta"}) {
    world.add_error({.drive = 1, .step = {}, .path_part = part});
    EXPECT_FALSE(take_back(*set, world, 1)) << part;
    EXPECT_FALSE(set->live(1));
    EXPECT_FALSE(set->record().members[1].live);
    world.clear_errors();
  }
  const auto stock = [](Slot, const auto&) -> Result<void> {
    return fail(Errc::io_error, "no stock");
  };
  EXPECT_FALSE(set->take_back(*world.open_disk(1), stock));
  EXPECT_FALSE(set->live(1));
  EXPECT_EQ(set->live_slots().size(), 3U);
  EXPECT_TRUE(take_back(*set, world, 1));
}

TEST(TakeBack, NotToAStoreThatTakesNoWrites) {
  io::SimWorld world = formatted(2, 1);
  const auto set = open_all(world);
  world.remove_drive(1);
  EXPECT_EQ(set->eject(1, Error(Errc::io_error, "pulled")).error().code(), Errc::read_only);
  set->disk(1)->retire();
  world.replug_drive(1, 2);
  EXPECT_EQ(take_back(*set, world, 1).error().code(), Errc::read_only);
}

TEST(TakeBack, CrashAtEveryStepIsOldOrNewAndTheNextStartHasAllDrives) {
  unsigned states = 0;
  for (const io::CrashMode mode : kModes) {
    for (std::uint64_t n = 1;; ++n) {
      io::SimWorld world = formatted(3, 1);
      bool done = false;
      std::uint64_t before = 0;
      {
        const auto set = open_all(world);
        lose(*set, world, 2);
        world.replug_drive(2, n);
        before = set->epoch();
        world.crash_at(n, mode);
        done = take_back(*set, world, 2).has_value() && !world.crashed();
      }
      world.reboot(n);
      if (done) {
        break;
      }
      ++states;
      const auto set = open_all(world);
      ASSERT_NE(set, nullptr) << "I/O " << n;
      EXPECT_EQ(set->live_slots().size(), 3U) << "I/O " << n;
      EXPECT_GT(set->epoch(), before) << "it is taken back by the start, or was before";
      EXPECT_TRUE(set->record().members[2].returning) << "I/O " << n;
    }
  }
  EXPECT_GT(states, 20U);
}

}  // namespace
}  // namespace outcrop::drives
