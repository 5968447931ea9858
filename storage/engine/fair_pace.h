// The pace of repair beside requests: it works in turns with pauses, and compares how long requests
// wait for the drives in the one and in the other.
#pragma once
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <functional>

#include "storage/base/clock.h"
#include "storage/segment/pace.h"

namespace outcrop::engine {

/// Requests that waited for drives, since the start.
struct Foreground {
  std::uint64_t operations = 0, ns = 0;
  Foreground operator-(const Foreground& before) const {
    return {operations - before.operations, ns - before.ns};
  }
};

/// Sans-IO: told about each turn of work and each pause, says how long the next pause is.
class PaceControl {
 public:
  /// Pauses are this many times as long as the work before them.
  static constexpr double kMostFactor = 16, kLeastFactor = 1;
  /// Requests may take this much longer beside the work than without it.
  static constexpr double kTolerated = 1.5;

  /// A turn of work took so long, and these requests ended in it.
  std::chrono::nanoseconds after_work(std::chrono::nanoseconds work, const Foreground& beside);
  void after_pause(const Foreground& alone);
  double factor() const { return x_factor; }

 private:
  /// A mean that forgets.
  struct Mean {
    double operations = 0, ns = 0;
    void add(const Foreground& f);
    double value() const { return operations > 0 ? ns / operations : 0; }
  };
  void adapt();

  double x_factor = 0;  // 0: nobody else is there
  Mean x_beside, x_alone;
  unsigned x_quiet = 0;  // turns without a request
};

/// One for all background work on drives; worker 0.
class FairPace final : public segment::Pace {
 public:
  FairPace(Executor ex, const Clock& clock, std::function<Foreground()> foreground)
      : x_timer(ex), x_clock(clock), x_foreground(std::move(foreground)) {}

  Task<> after(std::uint64_t bytes) override;
  /// Ends the pause in progress; after() fails from here on. Worker 0.
  void stop();
  std::uint64_t bytes() const { return x_bytes.load(std::memory_order_relaxed); }
  /// The work that begins now follows a time without any.
  void begin();

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           Executor>;
  Timer x_timer;
  const Clock& x_clock;
  std::function<Foreground()> x_foreground;
  PaceControl x_control;
  std::int64_t x_began_ns = 0;
  Foreground x_seen;
  bool x_stopped = false;
  std::atomic<std::uint64_t> x_bytes{0};
};

}  // namespace outcrop::engine
