// What a run measured, as a table for people or JSON for programs; the same for every protocol.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/process_stats.h"
#include "tools/bench/tally.h"

namespace outcrop::bench {

struct Report {
  struct Row {
    std::string_view name;
    OpTally tally;
  };
  std::vector<Row> rows;  ///< those without operations and errors are not shown
  ErrorTally errors;
  std::uint64_t calls = 0;  ///< remote calls, if an operation may be several; else 0
  double elapsed_s = 0;
  double client_cpu_s = 0;
  std::optional<double> server_cpu_s;  ///< with --server-pid
  std::optional<ProcessStats> server;  ///< at the end of the run
};

/// `heading`: what was run, without the time it took.
std::string to_text(const Report& report, std::string_view heading);
/// `parameters`: what was run, as members of a JSON object: "size":4096,...
std::string to_json(const Report& report, std::string_view parameters);

/// A JSON string.
std::string json_text(std::string_view text);

}  // namespace outcrop::bench
