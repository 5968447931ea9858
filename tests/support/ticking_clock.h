// A clock for tests: every look is a second later, so that no two times are equal. Any thread.
#pragma once
#include <atomic>

#include "storage/base/clock.h"

namespace outcrop::test {

class TickingClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 1'000'000'000 * ++x_now; }
  std::int64_t steady_ns() const override { return x_now + x_waited_ns; }
  void advance(std::int64_t seconds) { x_now += seconds; }
  void wait(std::int64_t ns) { x_waited_ns += ns; }  ///< as timeouts see it, not the wall clock

 private:
  mutable std::atomic<std::int64_t> x_now{1'700'000'000};
  std::atomic<std::int64_t> x_waited_ns{0};
};

}  // namespace outcrop::test
