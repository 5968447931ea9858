// What a process has used so far, from /proc: all its threads, living and dead.
#pragma once
#include <cstdint>

#include "storage/base/result.h"

namespace outcrop::bench {

struct ProcessStats {
  double cpu_s = 0;  ///< user and system time
  std::uint64_t threads = 0;
  std::uint64_t rss_bytes = 0;
};

/// not_found: no such process. `pid` 0 is this one.
Result<ProcessStats> process_stats(int pid);

}  // namespace outcrop::bench
