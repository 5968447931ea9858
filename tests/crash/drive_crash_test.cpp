// Power cut at every I/O while drives come and go: a lost drive is replaced and rebuilt, one is
// drained and removed. Whatever is found afterwards has all data, also with one drive less, and
// the same change can be made again.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

using Contents = std::map<std::string, std::string>;

constexpr std::array kModes{io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn};

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoul(text, nullptr, 10) : otherwise;
}

Contents fill(SimEngine& engine) {
  Contents all{{"inline", pattern(1, 100)},
               {"small/a", pattern(2, 5'000)},
               {"small/b", pattern(3, 70'001)},
               {"striped", pattern(4, 300'000)}};
  for (const auto& [key, content] : all) {
    EXPECT_TRUE(engine.put(key, content)) << key;
  }
  return all;
}

engine::RepairStatus repair_status(SimEngine& engine) { return engine.engine().stats().repair; }

bool whole(SimEngine& engine) {
  const engine::RepairStatus r = repair_status(engine);
  return r.degraded + r.moving + r.unreadable + r.damaged == 0;
}

/// A change that takes several calls; made again after a crash, it goes on where it was.
struct Change {
  const char* name;
  std::function<Result<void>(SimEngine&, io::SimWorld&)> run;
};

/// The blank drive joined when the engine was opened.
Result<void> rebuild(SimEngine& e, io::SimWorld&) {
  TRYV(e.run(e.engine().repair()));
  return whole(e) ? ok() : Result<void>(fail(Errc::internal, "not whole after the repair"));
}

Result<void> drain_and_remove(SimEngine& e, io::SimWorld&) {
  constexpr unsigned kSlot = 0;
  const auto drives = e.engine().stats().drives;
  if (std::ranges::find(drives, kSlot, &engine::DriveStatus::slot) == drives.end()) {
    return ok();  // it is gone already
  }
  TRYV(e.run(e.engine().drain_drive(kSlot, true)));
  TRYV(e.run(e.engine().repair()));
  return e.run(e.engine().remove_drive(kSlot));
}

/// A drive is missing, and nobody brings another.
Result<void> write_anew(SimEngine& e, io::SimWorld&) {
  TRYV(e.run(e.engine().repair()));
  TRYV(e.run(e.engine().restripe()));
  TRYV(e.run(e.engine().collect_garbage()));
  return whole(e) ? ok() : Result<void>(fail(Errc::internal, "not whole after restriping"));
}

Result<void> drain_without_another(SimEngine& e, io::SimWorld& world) {
  constexpr unsigned kSlot = 0;
  const auto drives = e.engine().stats().drives;
  if (std::ranges::find(drives, kSlot, &engine::DriveStatus::slot) == drives.end()) {
    return ok();  // it is gone already
  }
  TRYV(e.run(e.engine().drain_drive(kSlot, true)));
  TRYV(write_anew(e, world));
  return e.run(e.engine().remove_drive(kSlot));
}

/// A drive was added: what is there is written anew over it, too.
Result<void> spread(SimEngine& e, io::SimWorld&) {
  TRYV(e.run(e.engine().repair()));
  TRYV(e.run(e.engine().rebalance()));
  TRYV(e.run(e.engine().collect_garbage()));
  const engine::EngineStats stats = e.engine().stats();
  const bool all = std::ranges::all_of(
      stats.drives, [](const engine::DriveStatus& drive) { return drive.shards > 0; });
  return all && whole(e) ? ok() : Result<void>(fail(Errc::internal, "a drive is not used"));
}

/// A drive is pulled while the store runs, misses a write, is plugged in again and made whole.
Result<void> pull_and_plug(SimEngine& e, io::SimWorld& world) {
  constexpr unsigned kSlot = 1;
  const auto live = [&e] { return e.engine().stats().drives.at(kSlot).live; };
  world.remove_drive(kSlot);
  for (unsigned i = 0; i < 8 && live(); ++i) {
    TRYV(e.put("small/a", pattern(2, 5'000)));
    TRYV(e.put("striped", pattern(4, 300'000)));
  }
  world.replug_drive(kSlot, 7);
  for (unsigned i = 0; i < 20 && !live(); ++i) {
    TRYV(e.run(e.engine().look_for_drives()));
  }
  return live() ? rebuild(e, world) : Result<void>(fail(Errc::internal, "it is not taken back"));
}

void expect_all(io::SimWorld& world, const Contents& all, const std::string& where) {
  SimEngine engine(world, 3);
  const auto opened = engine.open();
  ASSERT_TRUE(opened) << where << ": " << opened.error().describe();
  const auto found = engine.everything();
  ASSERT_TRUE(found) << where << ": " << found.error().describe();
  EXPECT_EQ(*found, all) << where;
}

/// The drives that a machine with this world would find, each taken away in turn or one of them.
void expect_all_without(io::SimWorld& world,
                        const Contents& all,
                        unsigned drive,
                        std::string where) {
  io::SimWorld less = world.clone(drive);
  less.reboot(drive);
  less.remove_drive(drive);
  expect_all(less, all, where + ", without drive " + std::to_string(drive));
}

class EveryIoOf {
 public:
  EveryIoOf(const Change& change, io::SimWorld& start, const Contents& all)
      : x_change(change), x_start(start), x_all(all) {}

  /// False when the change finished before I/O `n`.
  bool crash_at(std::uint64_t n, io::CrashMode mode) {
    io::SimWorld world = x_start.clone(n);
    world.reboot(n);
    bool finished = false;
    {
      SimEngine engine(world, n);
      world.crash_at(n, mode);
      finished = engine.open() && x_change.run(engine, world) && !world.crashed();
    }
    const std::string where = std::string(x_change.name) + ", I/O " + std::to_string(n) + " mode " +
                              std::to_string(static_cast<int>(mode));
    for (unsigned drive = 0; drive < world.drives(); ++drive) {
      if (!x_start.open_disk(drive)) {
        continue;
      }
      world.restore_drive(drive);  // the change may have been cut off while it had pulled it
    }
    world.reboot(n * 31 + static_cast<unsigned>(mode));
    {
      io::SimWorld copy = world.clone(n);
      copy.reboot(n);
      expect_all(copy, x_all, where);
    }
    SimEngine engine(world, n);
    const auto opened = engine.open();
    EXPECT_TRUE(opened) << where << ": " << opened.error().describe();
    const auto again = opened ? x_change.run(engine, world) : opened;
    EXPECT_TRUE(again) << where << ": " << again.error().describe();
    EXPECT_TRUE(engine.put("after", "x")) << where;
    EXPECT_TRUE(engine.remove("after")) << where;
    EXPECT_TRUE(engine.close()) << where;
    world.reboot(n);
    const auto drives = static_cast<unsigned>(world.drives());
    expect_all_without(world, x_all, static_cast<unsigned>(n % drives), where);
    return !finished;
  }

 private:
  const Change& x_change;
  io::SimWorld& x_start;
  const Contents& x_all;
};

/// How many I/Os it has in all modes, about.
std::uint64_t run_all(const Change& change, io::SimWorld& start, const Contents& all) {
  EveryIoOf every(change, start, all);
  const std::uint64_t skip = std::max<std::uint64_t>(1, number_in("OUTCROP_CRASH_STRIDE", 23));
  const std::uint64_t offset = number_in("OUTCROP_CRASH_OFFSET", 0);
  std::uint64_t states = 0;
  for (const io::CrashMode mode : kModes) {
    for (std::uint64_t n = 1 + (offset + static_cast<unsigned>(mode) * 7) % skip;
         every.crash_at(n, mode); n += skip) {
      ++states;
      if (testing::Test::HasFailure()) {
        return 0;
      }
    }
  }
  std::printf("%s: %llu crash states\n", change.name, static_cast<unsigned long long>(states));
  return states * skip;
}

/// As a start finds it.
io::SimWorld filled_world(unsigned drives, Contents& all) {
  io::SimWorld world = world_with_bucket(drives, 1, 1);
  {
    SimEngine engine(world, 1);
    EXPECT_TRUE(engine.open());
    all = fill(engine);
    EXPECT_TRUE(engine.close());
  }
  world.reboot(2);
  return world;
}

TEST(DriveCrash, ReplacingALostDrive) {
  Contents all;
  io::SimWorld world = filled_world(3, all);
  world.remove_drive(1);
  world.add_drive();
  const Change change{"replace", rebuild};
  EXPECT_GT(run_all(change, world, all), 300U);
}

TEST(DriveCrash, DrainingAndRemovingADrive) {
  Contents all;
  io::SimWorld world = filled_world(3, all);
  world.add_drive();
  const Change change{"drain", drain_and_remove};
  EXPECT_GT(run_all(change, world, all), 300U);
}

TEST(DriveCrash, RestripingWithoutALostDrive) {
  Contents all;
  io::SimWorld world = filled_world(4, all);
  world.remove_drive(1);
  const Change change{"restripe", write_anew};
  EXPECT_GT(run_all(change, world, all), 300U);
}

TEST(DriveCrash, DrainingADriveWithoutAnother) {
  Contents all;
  io::SimWorld world = filled_world(4, all);
  const Change change{"drain without another", drain_without_another};
  EXPECT_GT(run_all(change, world, all), 300U);
}

TEST(DriveCrash, SpreadingDataOverADriveThatWasAdded) {
  Contents all;
  io::SimWorld world = filled_world(3, all);
  world.add_drive();  // it joins at the start
  const Change change{"rebalance", spread};
  EXPECT_GT(run_all(change, world, all), 300U);
}

// Drives that are nearly full: shards are moved first.
TEST(DriveCrash, MovingShardsToADriveThatWasAdded) {
  Contents all;
  io::SimWorld world = filled_world(3, all);
  {
    SimEngine engine(world, 1);
    ASSERT_TRUE(engine.open());
    all["bulk"] = pattern(6, 6 << 20);
    ASSERT_TRUE(engine.put("bulk", all["bulk"]));
    ASSERT_TRUE(engine.close());
  }
  world.reboot(3);
  for (unsigned drive = 0; drive < 3; ++drive) {
    world.set_size(drive, 20 << 20);
  }
  world.set_size(world.add_drive(), 64 << 20);
  {
    io::SimWorld copy = world.clone(1);
    copy.reboot(1);
    SimEngine engine(copy, 1);
    ASSERT_TRUE(engine.open());
    ASSERT_TRUE(spread(engine, copy));
    const engine::EngineStats stats = engine.engine().stats();
    EXPECT_GT(stats.shards_rebalanced, 0U);
    EXPECT_GT(stats.segments_widened, 0U);
  }
  const Change change{"rebalance of full drives", spread};
  EXPECT_GT(run_all(change, world, all), 300U);
}

TEST(DriveCrash, TakingBackADriveThatWasPulled) {
  Contents all;
  io::SimWorld world = filled_world(3, all);
  const Change change{"return", pull_and_plug};
  EXPECT_GT(run_all(change, world, all), 300U);
}

}  // namespace
}  // namespace outcrop::test
