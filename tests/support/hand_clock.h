// A clock for tests that stands still until it is set; both times are the same. One thread.
#pragma once
#include "storage/base/clock.h"

namespace outcrop::test {

class HandClock final : public Clock {
 public:
  explicit HandClock(std::int64_t ns = 0) : now(ns) {}
  std::int64_t wall_ns() const override { return now; }
  std::int64_t steady_ns() const override { return now; }
  std::int64_t now;
};

}  // namespace outcrop::test
