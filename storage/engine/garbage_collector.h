// When garbage collection runs: one run at a time, also for whoever finds no room to write.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/clock.h"

namespace outcrop::engine {

class GarbageCollector {
 public:
  /// `collect` returns how many segments it freed; it runs on `ex`'s worker.
  GarbageCollector(Executor ex, const Clock& clock, std::function<Task<std::uint64_t>()> collect)
      : x_ex(ex), x_clock(clock), x_collect(std::move(collect)) {}
  GarbageCollector(const GarbageCollector&) = delete;

  /// A run that begins after the call, for all who ask before it begins; how many segments it
  /// freed. On `ex`'s worker.
  Task<std::uint64_t> run();
  /// For who has no room to write: whether it may look again, for a run freed something. A full
  /// store is not searched all the time: for a while after a run that found nothing it is false at
  /// once. Any worker. Errors: those of `collect`.
  Task<bool> make_room();

 private:
  Task<bool> run_if_due();

  const Executor x_ex;
  const Clock& x_clock;
  const std::function<Task<std::uint64_t>()> x_collect;
  bool x_running = false;
  std::uint64_t x_begun = 0;  ///< runs
  Result<std::uint64_t> x_last = 0;
  std::int64_t x_due_ns = 0;  ///< steady; a run is of no use for who has no room before that
  std::vector<Resume<void>> x_waiting;
};

}  // namespace outcrop::engine
