// Time behind an interface, so that simulation and clock-jump tests own it.
#pragma once
#include <chrono>
#include <cstdint>

namespace outcrop {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, nanoseconds since the Unix epoch: mtimes and signatures only, never ordering.
  virtual std::int64_t wall_ns() const = 0;
  /// Wall clock that is not ahead of what is believed: see FlooredClock. For what must not happen
  /// too early because a clock was set wrong.
  virtual std::int64_t settled_ns() const { return wall_ns(); }
  /// Monotonic nanoseconds: timeouts and latencies.
  virtual std::int64_t steady_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ns() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t steady_ns() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace outcrop
