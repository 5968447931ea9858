// How fast background work on the drives may go.
#pragma once
#include <cstdint>

#include "storage/base/task.h"

namespace outcrop::segment {

/// Called on the worker that does the work.
class Pace {
 public:
  virtual ~Pace() = default;
  /// After a part of the work, which read or wrote `bytes`: waits as long as is fair to those who
  /// wait for the drives. cancelled: the work is to stop here.
  virtual Task<> after(std::uint64_t bytes) = 0;
};

/// No waiting: tests, and work that somebody waits for.
class FullSpeed final : public Pace {
 public:
  Task<> after(std::uint64_t) override { co_return ok(); }
};

}  // namespace outcrop::segment
