// How long repair pauses: not at all when nobody waits for the drives, longer while requests get
// slower beside it, shorter when they do not.
#include "storage/engine/fair_pace.h"

#include <gtest/gtest.h>

namespace outcrop::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kWork = 10ms;

/// `turns` turns of work and pause, with requests that take so long in the one and in the other.
std::chrono::nanoseconds run(PaceControl& control,
                             int turns,
                             std::uint64_t operations,
                             std::chrono::nanoseconds beside,
                             std::chrono::nanoseconds alone) {
  std::chrono::nanoseconds pause{};
  for (int i = 0; i < turns; ++i) {
    const auto ns = static_cast<std::uint64_t>(beside.count()) * operations;
    pause = control.after_work(kWork, {operations, ns});
    control.after_pause({operations, static_cast<std::uint64_t>(alone.count()) * operations});
  }
  return pause;
}

TEST(PaceControl, AloneItDoesNotPause) {
  PaceControl control;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(control.after_work(kWork, {}), 0ns);
  }
}

TEST(PaceControl, BesideRequestsItPausesAtLeastAsLongAsItWorks) {
  PaceControl control;
  EXPECT_GE(control.after_work(kWork, {1, 1000}), kWork);
  EXPECT_EQ(run(control, 50, 10, 1ms, 1ms), kWork) << "they do not get slower: no more than that";
}

TEST(PaceControl, ItSlowsDownWhileRequestsWaitLongerBesideIt) {
  PaceControl control;
  const auto slow = run(control, 50, 10, 3ms, 1ms);
  EXPECT_EQ(slow, PaceControl::kMostFactor * kWork);
  const auto again = run(control, 100, 10, 1ms, 1ms);
  EXPECT_EQ(again, kWork) << "the reason is gone";
}

TEST(PaceControl, ToleratedMeansTolerated) {
  PaceControl below, above;
  EXPECT_EQ(run(below, 100, 10, 1400us, 1ms), kWork);
  EXPECT_EQ(run(above, 100, 10, 1600us, 1ms), PaceControl::kMostFactor * kWork);
}

TEST(PaceControl, WhenRequestsStopThePausesDoSoon) {
  PaceControl control;
  run(control, 50, 10, 3ms, 1ms);
  run(control, 100, 0, 0ns, 0ns);
  EXPECT_EQ(control.after_work(kWork, {}), 0ns);
}

TEST(PaceControl, AFewRequestsProveNothing) {
  PaceControl control;
  control.after_work(kWork, {1, 9'000'000});
  control.after_pause({1, 1'000});
  EXPECT_EQ(control.factor(), PaceControl::kLeastFactor);
}

TEST(PaceControl, NoPauseIsLongerThanASecond) {
  PaceControl control;
  EXPECT_EQ(control.after_work(5s, {1, 1}), 1s);
}

}  // namespace
}  // namespace outcrop::engine
