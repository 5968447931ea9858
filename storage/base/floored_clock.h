// A wall clock that does not fall behind what was seen before: a machine whose clock lost its
// battery comes up in 1970, and must neither bring expired signatures and sessions back to life
// nor date what is written before what is there.
#pragma once
#include <atomic>
#include <functional>

#include "storage/base/clock.h"

namespace outcrop {

class FlooredClock final : public Clock {
 public:
  /// Offsets of wall and steady time that differ by less are the same.
  static constexpr std::int64_t kSameNs = 60'000'000'000;
  /// A time ahead of the floor becomes the floor after so long without a jump ...
  static constexpr std::int64_t kSettledNs = 3600'000'000'000;
  /// ... and one that a time server stands for sooner, also if it is behind.
  static constexpr std::int64_t kSynchronizedNs = 600'000'000'000;

  /// `machine` outlives it. `synchronized`: whether a time server sets the machine's clock.
  FlooredClock(const Clock& machine, std::function<bool()> synchronized)
      : x_machine(machine), x_synchronized(std::move(synchronized)) {}

  /// Any thread. The floor goes on with the steady clock.
  std::int64_t wall_ns() const override;
  std::int64_t steady_ns() const override { return x_machine.steady_ns(); }
  /// Any thread. The floor: a jump ahead counts once it is believed. As long as there is none, all
  /// is believed.
  std::int64_t settled_ns() const override;

  /// The floor of an earlier run. A machine that is ahead of it by at most 10 minutes is believed:
  /// so much may pass between what a run keeps last and the next one.
  void start_from(std::int64_t floor_ns);
  /// Takes the machine's time, whatever was before.
  void trust();

  struct Look {
    std::int64_t floor_ns = 0;   ///< now; to be kept for the next run
    std::int64_t behind_ns = 0;  ///< by so much the machine's clock is
  };
  /// Once in a while, on one thread: moves the floor as above.
  Look look();

 private:
  const Clock& x_machine;
  const std::function<bool()> x_synchronized;
  std::atomic<std::int64_t> x_offset{kNone};  ///< of the floor: wall minus steady time
  std::int64_t x_seen_offset = kNone, x_seen_since_ns = 0, x_synchronized_since_ns = 0;

  static constexpr std::int64_t kNone = INT64_MIN / 2;
};

/// Whether the kernel says so (adjtimex(2)).
bool clock_is_synchronized();

}  // namespace outcrop
