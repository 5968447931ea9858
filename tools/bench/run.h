// The phases of a benchmark: bucket, key set, connections, the measurement, cleaning up.
#pragma once
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace outcrop::bench {

/// Blocks for about the duration, and never much longer than that plus the timeout. Progress goes
/// to stderr. Errors carry a line for the user; failed operations are in the report instead.
Result<Report> run_s3(const Options& options);

/// What to_text() and to_json() want to know of the options.
std::string s3_heading(const Options& options);
std::string s3_parameters(const Options& options);

}  // namespace outcrop::bench
