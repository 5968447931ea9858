// `outcrop selftest`: all checks against one running server, within a time, and nothing left
// behind.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/admin/client.h"
#include "tools/bench/options.h"
#include "tools/selftest/checklist.h"
#include "tools/selftest/nfs_checks.h"

namespace outcrop::selftest {

inline constexpr double kMostSeconds = 60;   ///< for all checks
inline constexpr double kCleanSeconds = 20;  ///< for cleaning up, behind them

struct Options {
  bench::Options s3;  ///< endpoint, credentials, TLS
  std::optional<NfsPlace> nfs;
  std::string nfs_bucket;  ///< of the export; empty: one is made for the scratch bucket
  std::optional<tools::AdminAccess> admin;
  double seconds = kMostSeconds;
};

/// "HOST:PORT", "HOST:PORT/export", "[::1]:2049/export". config: what is wrong with it.
Result<NfsPlace> parse_nfs_place(const std::string& text);

/// Blocks. `tell` gets each outcome as it comes. SIGINT and SIGTERM end the checks, not the
/// cleaning up. Errors: config, before anything was done.
Result<std::vector<Outcome>> run(const Options& options,
                                 const std::function<void(const Outcome&)>& tell);

}  // namespace outcrop::selftest
