#include "storage/base/floored_clock.h"

#include <gtest/gtest.h>

namespace outcrop {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kHour = 3600 * kSecond, kDay = 24 * kHour;
constexpr std::int64_t kNow = 20'000 * kDay;  // 2024

class Machine final : public Clock {
 public:
  std::int64_t wall_ns() const override { return wall; }
  std::int64_t steady_ns() const override { return steady; }
  void pass(std::int64_t ns) {
    wall += ns;
    steady += ns;
  }
  std::int64_t wall = kNow, steady = 77 * kHour;
};

class Floored : public ::testing::Test {
 protected:
  /// With a look each minute.
  void pass(std::int64_t ns) {
    for (std::int64_t gone = 0; gone < ns; gone += 60 * kSecond) {
      machine.pass(60 * kSecond);
      clock.look();
    }
  }
  Machine machine;
  bool synchronized = false;
  FlooredClock clock{machine, [this] { return synchronized; }};
};

TEST_F(Floored, WithoutAFloorItIsTheMachines) {
  EXPECT_EQ(clock.wall_ns(), kNow);
  machine.wall = 5;
  EXPECT_EQ(clock.wall_ns(), 5);
}

TEST_F(Floored, AStartIn1970GoesOnWhereTheLastRunEnded) {
  machine.wall = 5 * kSecond;
  clock.start_from(kNow);
  EXPECT_EQ(clock.wall_ns(), kNow);
  pass(2 * kDay);
  EXPECT_EQ(clock.wall_ns(), kNow + 2 * kDay);
  const auto look = clock.look();
  EXPECT_EQ(look.floor_ns, kNow + 2 * kDay);
  EXPECT_EQ(look.behind_ns, kNow - 5 * kSecond);
}

// What a run has kept is behind by the time to the next start.
TEST_F(Floored, WhatWasWrittenAfterARestartIsNotDatedAheadOfWhatComesNext) {
  clock.start_from(kNow - 400 * kSecond);
  EXPECT_EQ(clock.wall_ns(), kNow);
  machine.wall -= kDay;
  EXPECT_EQ(clock.wall_ns(), kNow);
  machine.wall = kNow;
  clock.start_from(kNow - kHour);
  EXPECT_EQ(clock.wall_ns(), kNow);
  machine.wall -= kDay;
  EXPECT_EQ(clock.wall_ns(), kNow - kHour) << "it may have been a mistake";
}

TEST_F(Floored, AJumpAheadIsNotSettledUntilItIsBelieved) {
  EXPECT_EQ(clock.settled_ns(), kNow) << "nothing was seen yet";
  clock.trust();
  pass(kHour);
  machine.wall += kDay;
  pass(kHour - 60 * kSecond);
  EXPECT_EQ(clock.wall_ns(), kNow + kDay + 2 * kHour - 60 * kSecond);
  EXPECT_EQ(clock.settled_ns(), kNow + 2 * kHour - 60 * kSecond);
  pass(2 * 60 * kSecond);
  EXPECT_EQ(clock.settled_ns(), clock.wall_ns());
  machine.wall -= 2 * kDay;
  EXPECT_EQ(clock.settled_ns(), clock.wall_ns());
}

TEST_F(Floored, AJumpBackWhileItRunsDoesNothing) {
  clock.trust();
  pass(kHour);
  machine.wall -= 50 * 365 * kDay;
  EXPECT_EQ(clock.wall_ns(), kNow + kHour);
  pass(kDay);
  EXPECT_EQ(clock.wall_ns(), kNow + kHour + kDay);
}

TEST_F(Floored, AJumpAheadCountsAtOnceAndIsForgottenIfItWasAMistake) {
  clock.trust();
  machine.wall += kDay;
  EXPECT_EQ(clock.wall_ns(), kNow + kDay);
  pass(kHour / 2);
  machine.wall -= kDay;
  EXPECT_EQ(clock.wall_ns(), kNow + kHour / 2);
  EXPECT_EQ(clock.look().behind_ns, 0);
}

TEST_F(Floored, ATimeAheadThatStaysIsTheFloor) {
  clock.start_from(kNow - kDay);  // it was off for a day
  EXPECT_EQ(clock.look().floor_ns, kNow - kDay);
  pass(kHour + 120 * kSecond);
  EXPECT_EQ(clock.look().floor_ns, machine.wall);
  machine.wall = 0;
  EXPECT_GE(clock.wall_ns(), kNow + kHour);
}

TEST_F(Floored, ATimeServerMakesTheFloorAlsoBehind) {
  clock.start_from(kNow + 300 * kDay);  // somebody had set a wrong year
  pass(kDay);
  EXPECT_EQ(clock.wall_ns(), kNow + 301 * kDay) << "not without one";
  synchronized = true;
  pass(300 * kSecond);
  EXPECT_GT(clock.wall_ns(), kNow + 300 * kDay) << "not at once";
  pass(600 * kSecond);
  EXPECT_EQ(clock.wall_ns(), machine.wall);
  EXPECT_EQ(clock.look().behind_ns, 0);
}

TEST_F(Floored, SmallStepsNeverGoBack) {
  clock.trust();
  const std::int64_t before = clock.wall_ns();
  machine.wall -= 20 * 60 * kSecond;
  EXPECT_EQ(clock.wall_ns(), before);
}

}  // namespace
}  // namespace outcrop
