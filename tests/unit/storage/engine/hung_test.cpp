// Drives that do not answer: what is there is read at once, writes go on when they have left, and
// they are taken back whole.
#include <gtest/gtest.h>

#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

class HungDrives : public testing::Test {
 protected:
  static constexpr unsigned kDrives = 6, kParity = 2;

  void start() {
    engine.emplace(world, 1);
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  void fill() {
    for (unsigned i = 0; i < 12; ++i) {
      ASSERT_TRUE(engine->put("small/" + std::to_string(i), pattern(i, 9'000)));
      ASSERT_TRUE(engine->put("large/" + std::to_string(i), pattern(100 + i, 700'000)));
    }
  }
  void check() {
    for (unsigned i = 0; i < 12; ++i) {
      const auto small = engine->get("small/" + std::to_string(i));
      ASSERT_TRUE(small) << small.error().describe();
      EXPECT_EQ(*small, pattern(i, 9'000));
      const auto large = engine->get("large/" + std::to_string(i));
      ASSERT_TRUE(large) << large.error().describe();
      EXPECT_EQ(*large, pattern(100 + i, 700'000));
    }
  }
  bool live(unsigned slot) { return engine->engine().stats().drives.at(slot).live; }
  /// The process ends while drives hang, and starts when they answer.
  void restart() {
    engine.reset();
    world.reboot(3);
    start();
  }

  io::SimWorld world = world_with_bucket(kDrives, kParity, 1);
  std::optional<SimEngine> engine;
};

TEST_F(HungDrives, ReadsGoElsewhere) {
  start();
  fill();
  world.hang_drive(1);
  world.hang_drive(4);
  check();
  EXPECT_GT(engine->engine().stats().hedged_reads, 0U);
  EXPECT_TRUE(live(1) && live(4)) << "nobody has judged";
  EXPECT_EQ(engine->engine().stats().corrupt_reads, 0U);
}

TEST_F(HungDrives, WritesGoOnWithoutThem) {
  for (const unsigned first : {0U, 3U}) {
    world = world_with_bucket(kDrives, kParity, 1);
    start();
    fill();
    engine->judge_drives();
    world.hang_drive(first);
    ASSERT_TRUE(engine->put("one", pattern(1, 9'000)));
    world.hang_drive(first + 1);
    const auto two = engine->put("two", pattern(2, 700'000));
    ASSERT_TRUE(two) << two.error().describe();
    ASSERT_TRUE(engine->put("three", pattern(3, 9'000)));
    check();
    EXPECT_EQ(*engine->get("two"), pattern(2, 700'000));
    EXPECT_FALSE(live(first) && live(first + 1));
    restart();
    check();
    EXPECT_EQ(*engine->get("one"), pattern(1, 9'000));
    EXPECT_EQ(*engine->get("two"), pattern(2, 700'000));
    EXPECT_EQ(*engine->get("three"), pattern(3, 9'000));
    EXPECT_TRUE(live(first)) << "it is back";
    ASSERT_TRUE(engine->run(engine->engine().repair()));
    EXPECT_EQ(engine->engine().stats().repair.degraded, 0U);
    engine.reset();
  }
}

TEST_F(HungDrives, BothAtOnceAndInTheMiddleOfAWrite) {
  start();
  fill();
  engine->judge_drives();
  world.hang_drive(0);
  world.hang_drive(5);
  for (unsigned i = 0; i < 6; ++i) {
    ASSERT_TRUE(engine->put("new/" + std::to_string(i), pattern(i, i % 2 == 0 ? 9'000 : 700'000)));
  }
  check();
  restart();
  check();
  for (unsigned i = 0; i < 6; ++i) {
    EXPECT_EQ(*engine->get("new/" + std::to_string(i)), pattern(i, i % 2 == 0 ? 9'000 : 700'000));
  }
}

TEST_F(HungDrives, MoreThanMayLeaveGetMoreTime) {
  start();
  fill();
  for (const unsigned slot : {0U, 1U, 2U}) {
    world.hang_drive(slot);
  }
  EXPECT_TRUE(engine->run(engine->engine().judge_drives()));
  for (unsigned slot = 0; slot < kDrives; ++slot) {
    EXPECT_TRUE(live(slot)) << slot;
  }
}

}  // namespace
}  // namespace outcrop::test
