// Whether a drive still answers. Back ends note what waits too long, the engine judges
// (docs/adr/0007-hung-drives.md), and a drive that was given up fails every transfer at once, so
// that nobody waits for it again. Ages are counted in turns of the watch and not read from a clock:
// a process that was stopped, or starved, must not take its own absence for the drive's.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace outcrop::io {

inline constexpr std::chrono::milliseconds kWatchTick{100};
/// A read that may be given up (IoOp::hedged) is, after this many ticks.
inline constexpr unsigned kLateTicks = 3;
inline constexpr unsigned kHungTicks = 50;
/// The bound of one synchronous call.
inline constexpr std::chrono::seconds kCallLimit{30};

/// Relaxed atomics, any thread; times are std::chrono::steady_clock's.
class DiskHealth {
 public:
  void saw_late(std::int64_t now_ns) { x_late_ns.store(now_ns, std::memory_order_relaxed); }
  void saw_hung(std::int64_t now_ns) { x_hung_ns.store(now_ns, std::memory_order_relaxed); }
  /// Some transfer has been on its way for kLateTicks.
  bool late(std::int64_t now_ns) const { return fresh(x_late_ns, now_ns); }
  /// Some transfer has been on its way for kHungTicks.
  bool hung(std::int64_t now_ns) const { return fresh(x_hung_ns, now_ns); }

  /// For good: until the process opens the drive again.
  void give_up() { x_given_up.store(true, std::memory_order_release); }
  bool given_up() const { return x_given_up.load(std::memory_order_acquire); }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min() / 2;
  /// Several ticks, for a watch that is itself late.
  static constexpr std::int64_t kFreshNs = 500'000'000;
  static bool fresh(const std::atomic<std::int64_t>& seen, std::int64_t now_ns) {
    return now_ns - seen.load(std::memory_order_relaxed) < kFreshNs;
  }

  std::atomic<std::int64_t> x_late_ns{kNever}, x_hung_ns{kNever};
  std::atomic<bool> x_given_up{false};
};

}  // namespace outcrop::io
