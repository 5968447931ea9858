// Checks a whole store that no server runs on, and changes nothing: drives, journals, mirrors, the
// tree, the references, the shard files and every byte of payload.
#pragma once
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/base/async.h"
#include "storage/check/drive_check.h"
#include "storage/check/report.h"
#include "storage/io/disk.h"

namespace outcrop::check {

struct FsckInput {
  /// Overlays (io/overlay_disk.h): what is opened and replayed is written to.
  std::vector<DriveInput> drives;
  LastPath last_path{};
  io::Disk* witness = nullptr;       ///< state_dir, an overlay too; null: none
  io::Disk* scratch = nullptr;       ///< for sorting; outlives the check
  io::IoBackend* backend = nullptr;  ///< of the thread; null: drives are read one after the other
  bool allow_reduced_redundancy = false;
  bool metadata_only = false;  ///< no payload is read
  std::size_t memory_bytes = 64 << 20;
  /// What is being done, how much of it, and of how much (0: not known); false ends the check.
  std::function<bool(std::string_view phase, std::uint64_t done, std::uint64_t total)> progress{};
};

/// `report` holds what was found so far, also after an error. Errors: already_exists when a server
/// runs on the drives, config when too few of them are here, cancelled, and what keeps the
/// metadata from being read at all.
Task<> run_fsck(FsckInput input, Report& report);

}  // namespace outcrop::check
