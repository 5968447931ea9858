// What a run measured, as a table for people or JSON for programs.
#pragma once
#include <optional>
#include <string>

#include "tools/bench/lane.h"
#include "tools/bench/process_stats.h"

namespace outcrop::bench {

struct Report {
  Tally tally;
  double elapsed_s = 0;
  double client_cpu_s = 0;
  std::optional<double> server_cpu_s;  ///< with --server-pid
  std::optional<ProcessStats> server;  ///< at the end of the run
};

std::string to_text(const Report& report, const Options& options);
std::string to_json(const Report& report, const Options& options);

}  // namespace outcrop::bench
