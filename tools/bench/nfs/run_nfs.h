// The phases of an NFS benchmark: mount, connections, files, the measurement, cleaning up.
#pragma once
#include "tools/bench/nfs/options.h"
#include "tools/bench/report.h"

namespace outcrop::bench {

/// Blocks for about the duration, and never much longer than that plus the timeout. Progress goes
/// to stderr. Errors carry a line for the user; failed operations are in the report instead.
Result<Report> run_nfs(const NfsOptions& options);

/// What to_text() and to_json() want to know of the options.
std::string nfs_heading(const NfsOptions& options);
std::string nfs_parameters(const NfsOptions& options);

}  // namespace outcrop::bench
