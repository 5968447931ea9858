#include "storage/engine/garbage_collector.h"

#include <algorithm>
#include <utility>

namespace outcrop::engine {
namespace {

// After a run that freed nothing: it looked at every segment, and clients of a full store ask
// again and again.
constexpr std::int64_t kLeastPauseNs = 1'000'000'000;
constexpr std::int64_t kPausePart = 9;  // a tenth of the time at most

}  // namespace

Task<std::uint64_t> GarbageCollector::run() {
  const std::uint64_t mine = x_begun + 1;  // what became garbage since is missed by one under way
  while (x_running) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiting.push_back(std::move(r)); }));
    if (!x_running && x_begun >= mine) {
      co_return x_last;
    }
  }
  x_running = true;
  ++x_begun;
  const std::int64_t began = x_clock.steady_ns();
  x_last = co_await x_collect();
  x_running = false;
  const std::int64_t ended = x_clock.steady_ns();
  const bool found = !x_last || *x_last > 0;
  x_due_ns = found ? ended : ended + std::max(kLeastPauseNs, (ended - began) * kPausePart);
  const Result<std::uint64_t> freed = x_last;
  for (Resume<void>& waiter : std::exchange(x_waiting, {})) {
    waiter(ok());
  }
  co_return freed;
}

Task<bool> GarbageCollector::run_if_due() {
  if (x_clock.steady_ns() < x_due_ns) {
    co_return false;
  }
  CO_TRY(const std::uint64_t freed, co_await run());
  co_return freed > 0;
}

Task<bool> GarbageCollector::make_room() {
  co_return co_await asio::co_spawn(x_ex, run_if_due(), use_async);
}

}  // namespace outcrop::engine
