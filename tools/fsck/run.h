// `outcrop fsck` on the drives of a configuration.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "server/config.h"
#include "storage/check/report.h"

namespace outcrop::tools {

struct FsckOptions {
  std::string scratch;  ///< empty: TMPDIR, or /tmp
  bool metadata_only = false;
  std::uint64_t memory_bytes = 256 << 20;
  std::function<bool(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress{};
};

/// Nothing is written but in a new folder below the scratch directory, which is gone afterwards.
/// Errors have a detail for the user; `report` holds what was found until then. Blocking, for long.
Result<void> fsck(const server::Config& config, FsckOptions options, check::Report& report);

}  // namespace outcrop::tools
