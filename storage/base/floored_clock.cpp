#include "storage/base/floored_clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <cstdlib>

namespace outcrop {
namespace {

// So much may pass between the last time that a run keeps and the next start: a machine that is
// ahead of it by no more is believed.
constexpr std::int64_t kRestartNs = 600'000'000'000;

}  // namespace

std::int64_t FlooredClock::wall_ns() const {
  return std::max(x_machine.wall_ns(),
                  x_offset.load(std::memory_order_relaxed) + x_machine.steady_ns());
}

std::int64_t FlooredClock::settled_ns() const {
  const std::int64_t offset = x_offset.load(std::memory_order_relaxed);
  return offset == kNone ? wall_ns() : std::min(wall_ns(), offset + x_machine.steady_ns());
}

void FlooredClock::start_from(std::int64_t floor_ns) {
  const std::int64_t wall = x_machine.wall_ns();
  const bool plausible = wall > floor_ns && wall - floor_ns <= kRestartNs;
  x_offset.store((plausible ? wall : floor_ns) - x_machine.steady_ns(), std::memory_order_relaxed);
}

void FlooredClock::trust() { start_from(x_machine.wall_ns()); }

FlooredClock::Look FlooredClock::look() {
  const std::int64_t wall = x_machine.wall_ns(), steady = x_machine.steady_ns();
  const std::int64_t offset = wall - steady;
  if (std::abs(offset - x_seen_offset) > kSameNs) {
    x_seen_offset = offset;
    x_seen_since_ns = x_synchronized_since_ns = steady;
  }
  if (!x_synchronized()) {
    x_synchronized_since_ns = steady;
  }
  const std::int64_t floor = x_offset.load(std::memory_order_relaxed);
  if (steady - x_synchronized_since_ns >= kSynchronizedNs ||
      (offset > floor && steady - x_seen_since_ns >= kSettledNs)) {
    x_offset.store(offset, std::memory_order_relaxed);
  }
  const std::int64_t now = x_offset.load(std::memory_order_relaxed) + steady;
  return {.floor_ns = now, .behind_ns = std::max<std::int64_t>(0, now - wall)};
}

bool clock_is_synchronized() {
  timex state{};  // modes 0: only asks
  return ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

}  // namespace outcrop
