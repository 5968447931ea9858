#include "storage/engine/fair_pace.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

namespace outcrop::engine {
namespace {

constexpr double kKeep = 0.9;         // of a mean, at each new value
constexpr double kFewOperations = 5;  // below that a mean says nothing
constexpr unsigned kQuietTurns = 20;  // without a request: go on without pauses
constexpr double kFaster = 0.9, kSlower = 1.5;
constexpr std::chrono::nanoseconds kLongestPause = std::chrono::seconds(1);

}  // namespace

void PaceControl::Mean::add(const Foreground& f) {
  operations = operations * kKeep + static_cast<double>(f.operations);
  ns = ns * kKeep + static_cast<double>(f.ns);
}

std::chrono::nanoseconds PaceControl::after_work(std::chrono::nanoseconds work,
                                                 const Foreground& beside) {
  x_quiet = beside.operations == 0 ? x_quiet + 1 : 0;
  x_beside.add(beside);
  if (x_quiet >= kQuietTurns) {
    x_factor = 0;
  } else if (x_quiet == 0) {
    x_factor = std::max(x_factor, kLeastFactor);
  }
  const std::chrono::nanoseconds pause(
      static_cast<std::int64_t>(static_cast<double>(work.count()) * x_factor));
  return std::min(pause, kLongestPause);
}

void PaceControl::after_pause(const Foreground& alone) {
  x_quiet = alone.operations == 0 ? x_quiet : 0;
  x_alone.add(alone);
  adapt();
}

void PaceControl::adapt() {
  if (x_beside.operations < kFewOperations || x_alone.operations < kFewOperations) {
    return;
  }
  const bool slow = x_beside.value() > kTolerated * x_alone.value();
  x_factor = std::clamp(x_factor * (slow ? kSlower : kFaster), kLeastFactor, kMostFactor);
}

void FairPace::begin() {
  x_began_ns = x_clock.steady_ns();
  x_seen = x_foreground();
}

void FairPace::stop() {
  x_stopped = true;
  x_timer.cancel();
}

Task<> FairPace::after(std::uint64_t bytes) {
  if (x_stopped) {
    co_return fail(Errc::cancelled);
  }
  x_bytes.fetch_add(bytes, std::memory_order_relaxed);
  const Foreground worked = x_foreground();
  const auto pause = x_control.after_work(
      std::chrono::nanoseconds(x_clock.steady_ns() - x_began_ns), worked - x_seen);
  if (pause.count() > 0) {
    x_timer.expires_after(pause);
    boost::system::error_code interrupted;
    co_await x_timer.async_wait(asio::redirect_error(use_async, interrupted));
    x_control.after_pause(x_foreground() - worked);
  }
  begin();
  co_return x_stopped ? Result<void>(fail(Errc::cancelled)) : ok();
}

}  // namespace outcrop::engine
