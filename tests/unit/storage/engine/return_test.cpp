// Drives that were away and are there again while the store runs.
#include <gtest/gtest.h>

#include "storage/engine/return_policy.h"
#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

class Return : public testing::Test {
 protected:
  static constexpr unsigned kDrives = 6, kParity = 2;

  void start() {
    engine.emplace(world, 1);
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  void put(const std::string& key, std::size_t size) {
    const std::string content = pattern(++serial, size);
    const auto done = engine->put(key, content);
    ASSERT_TRUE(done) << key << ": " << done.error().describe();
    all[key] = content;
  }
  void fill(const std::string& prefix) {
    for (unsigned i = 0; i < 6; ++i) {
      put(prefix + "small/" + std::to_string(i), 9'000);
      put(prefix + "large/" + std::to_string(i), 700'000);
    }
  }
  /// Overwrites, deletes, and new objects, so that every drive is written to.
  void go_on(const std::string& prefix) {
    fill(prefix);
    put("large/1", 300'000);
    ASSERT_TRUE(engine->remove("small/2"));
    all.erase("small/2");
  }
  engine::DriveStatus drive(unsigned slot) { return engine->engine().stats().drives.at(slot); }
  /// Looks until the drive is live; how often.
  unsigned look(unsigned slot, unsigned most = 20) {
    for (unsigned n = 1; n <= most; ++n) {
      const auto looked = engine->run(engine->engine().look_for_drives());
      EXPECT_TRUE(looked) << looked.error().describe();
      if (drive(slot).live) {
        return n;
      }
    }
    return 0;
  }
  void check(SimEngine& in) {
    const auto found = in.everything();
    ASSERT_TRUE(found) << found.error().describe();
    EXPECT_EQ(*found, all);
  }
  void repair() {
    ASSERT_TRUE(engine->run(engine->engine().repair()));
    const engine::RepairStatus r = engine->engine().stats().repair;
    EXPECT_EQ(r.degraded + r.moving + r.unreadable + r.damaged, 0U);
  }
  /// Any other two drives may go, also after a power cut.
  void check_without_two() {
    for (unsigned a = 0; a < kDrives; ++a) {
      io::SimWorld less = world.clone(a);
      less.reboot(a);
      less.remove_drive(a);
      less.remove_drive((a + 2) % kDrives);
      SimEngine other(less, 2);
      const auto opened = other.open();
      ASSERT_TRUE(opened) << opened.error().describe();
      check(other);
    }
  }

  io::SimWorld world = world_with_bucket(kDrives, kParity, 1);
  std::map<std::string, std::string> all;
  std::uint64_t serial = 0;
  std::optional<SimEngine> engine;
};

TEST_F(Return, ADriveThatWasPulledIsTakenBackAndMadeWhole) {
  for (const unsigned slot : {0U, 4U}) {
    SCOPED_TRACE(slot);
    world = world_with_bucket(kDrives, kParity, 1);
    all.clear();
    start();
    fill("");
    world.remove_drive(slot);
    go_on("away/");
    ASSERT_FALSE(drive(slot).live);
    EXPECT_EQ(look(slot, 3), 0U) << "it is not there";
    EXPECT_NE(drive(slot).absence.find("looked for"), std::string::npos);
    world.replug_drive(slot, 3);
    EXPECT_GT(look(slot), 0U) << drive(slot).absence;
    EXPECT_TRUE(drive(slot).absence.empty());
    check(*engine);
    go_on("back/");
    EXPECT_GT(engine->engine().stats().repair.degraded, 0U);
    repair();
    EXPECT_FALSE(drive(slot).returning);
    EXPECT_GT(drive(slot).shards, 0U);
    check(*engine);
    check_without_two();
    ASSERT_TRUE(engine->close());
    engine.reset();
  }
}

TEST_F(Return, OneThatHungIsTakenBackWhenItAnswers) {
  start();
  fill("");
  engine->judge_drives();
  world.hang_drive(2);
  go_on("away/");
  ASSERT_FALSE(drive(2).live);
  EXPECT_EQ(look(2, 3), 0U);
  world.wake_drive(2);
  EXPECT_GT(look(2), 0U) << drive(2).absence;
  go_on("back/");
  repair();
  check(*engine);
  check_without_two();
}

TEST_F(Return, OneThatWasMissingAtTheStart) {
  start();
  fill("");
  engine.reset();
  world.reboot(2);
  world.remove_drive(3);
  start();
  go_on("away/");
  world.restore_drive(3);
  EXPECT_GT(look(3), 0U) << drive(3).absence;
  repair();
  check(*engine);
  check_without_two();
}

// What it missed stays on record until it is filled in, whatever happens in between.
TEST_F(Return, AKillAfterTheReturnForgetsNothing) {
  start();
  fill("");
  world.remove_drive(1);
  go_on("away/");
  world.replug_drive(1, 4);
  ASSERT_GT(look(1), 0U);
  go_on("back/");
  engine.reset();
  world.reboot(5);
  start();
  check(*engine);
  EXPECT_GT(engine->engine().stats().repair.degraded, 0U);
  repair();
  check_without_two();
}

// Each time with writes in between, and all parts of the store on the drive in use.
TEST_F(Return, AgainAndAgain) {
  start();
  fill("");
  for (unsigned round = 0; round < 6; ++round) {
    const unsigned slot = round % 3;
    world.remove_drive(slot);
    go_on("away" + std::to_string(round) + "/");
    ASSERT_FALSE(drive(slot).live);
    world.replug_drive(slot, round);
    // It waits half a minute from the second time on.
    if (round < 3) {
      ASSERT_GT(look(slot), 0U) << drive(slot).absence;
    } else {
      EXPECT_EQ(look(slot), 0U);
      EXPECT_NE(drive(slot).absence.find("again in 30 s: it left soon"), std::string::npos)
          << drive(slot).absence;
      break;
    }
  }
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  check(*engine);
  engine.reset();
  world.reboot(9);
  start();
  repair();
  check_without_two();
}

TEST_F(Return, ACopyIsNotTakenForTheDrive) {
  start();
  fill("");
  const unsigned blank = world.add_drive();
  // The superblock and epoch of drive 1, on another one.
  const auto from = *world.open_disk(1), to = *world.open_disk(blank);
  for (const char* name : {"superblock", "epoch"}) {
    const auto source = *from->open(name, io::Access::read, io::Cache::buffered);
    const auto target = *to->open(name, io::Access::create, io::Cache::buffered);
    std::vector<std::byte> bytes(*source->size());
    ASSERT_TRUE(source->read_sync(0, bytes));
    ASSERT_TRUE(target->write_sync(0, bytes));
    ASSERT_TRUE(target->sync());
  }
  world.remove_drive(1);
  go_on("away/");
  world.replug_drive(1, 3);
  EXPECT_EQ(look(1, 5), 0U) << "nobody can tell which is the one";
  world.remove_drive(blank);
  EXPECT_GT(look(1), 0U) << drive(1).absence;
  repair();
  check(*engine);
}

TEST_F(Return, OneThatDoesNotTakeWritesStaysAway) {
  start();
  fill("");
  world.remove_drive(1);
  go_on("away/");
  world.replug_drive(1, 3);
  world.add_error({.drive = 1, .step = io::SimStep::sync_dir});
  const std::uint64_t epoch = engine->engine().stats().epoch;
  EXPECT_EQ(look(1), 0U);
  EXPECT_NE(drive(1).absence.find("again in"), std::string::npos) << drive(1).absence;
  EXPECT_LE(engine->engine().stats().epoch, epoch + 1) << "nothing but what is settled";
  go_on("more/");
  check(*engine);
}

// Half of the drives go, one after the other: nothing may be acknowledged any more. The store
// reads, and a new start finds all; it is asked for when that would take writes, and not before.
TEST_F(Return, ManyThatGoOneAfterTheOther) {
  start();
  fill("");
  for (const unsigned slot : {0U, 1U, 2U}) {
    world.remove_drive(slot);
  }
  for (unsigned i = 0; i < 3; ++i) {
    [[maybe_unused]] const auto refused = engine->put("x" + std::to_string(i), pattern(i, 9'000));
  }
  ASSERT_FALSE(engine->engine().stats().writable);
  const auto looks = [&](unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      EXPECT_TRUE(engine->run(engine->engine().look_for_drives()));
    }
  };
  looks(20);
  EXPECT_FALSE(engine->restart_asked());
  world.replug_drive(1, 3);
  world.add_error({.drive = 1, .step = io::SimStep::prewrite});
  looks(20);
  EXPECT_FALSE(engine->restart_asked()) << "it is there, and does not take writes";
  world.clear_errors();
  looks(20);
  EXPECT_TRUE(engine->restart_asked());
  engine.reset();
  world.reboot(4);  // the third stays away
  world.restore_drive(0);
  start();
  EXPECT_TRUE(engine->engine().stats().writable);
  const auto found = engine->everything();
  ASSERT_TRUE(found) << found.error().describe();
  for (const auto& [key, content] : all) {
    EXPECT_EQ(found->at(key), content) << key;
  }
}

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(ReturnPolicy, WaitsLongerEachTimeAndForgetsWhatWasLongAgo) {
  engine::ReturnPolicy policy(5 * kSecond);
  const Uuid drive{{1}};
  std::int64_t now = 1000 * kSecond;
  const auto waits = [&] {
    policy.away(drive, now);
    std::int64_t n = 0;
    for (; !policy.due(drive, now + n * kSecond); ++n) {
      policy.away(drive, now + n * kSecond);
    }
    now += n * kSecond;
    policy.returned(drive, now);
    now += kSecond;
    policy.here(drive);
    return n;
  };
  const std::array<std::int64_t, 10> expected{5, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
  for (const std::int64_t seconds : expected) {
    EXPECT_EQ(waits(), seconds);
  }
  now += engine::ReturnPolicy::kProvingNs;
  EXPECT_EQ(waits(), 5) << "it has proved itself";
}

TEST(ReturnPolicy, OneThatCannotBeTakenBackWaitsAndSaysWhy) {
  engine::ReturnPolicy policy(5 * kSecond);
  const Uuid drive{{1}};
  policy.away(drive, 0);
  EXPECT_FALSE(policy.due(drive, 4 * kSecond));
  EXPECT_TRUE(policy.due(drive, 5 * kSecond));
  policy.failed(drive, 5 * kSecond, "read-only file system");
  EXPECT_FALSE(policy.due(drive, 34 * kSecond));
  EXPECT_EQ(policy.tell(drive, 6 * kSecond),
            "it is looked for again in 29 s: read-only file system");
  policy.waits(drive, 40 * kSecond, "in use");
  EXPECT_FALSE(policy.due(drive, 41 * kSecond));
  EXPECT_TRUE(policy.due(drive, 42 * kSecond)) << "that is no fault of the drive";
  for (unsigned i = 0; i < 10; ++i) {
    policy.waits(drive, 100 * kSecond, "in use");
  }
  EXPECT_FALSE(policy.due(drive, 163 * kSecond));
  EXPECT_TRUE(policy.due(drive, 164 * kSecond)) << "about a minute at most";
}

}  // namespace
}  // namespace outcrop::test
