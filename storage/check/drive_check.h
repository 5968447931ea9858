// What the drives say about themselves before anything is made of it: superblocks and epoch
// records, both copies of each, and who is live, stale or missing by them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/check/report.h"
#include "storage/io/disk.h"

namespace outcrop::check {

/// A drive of the configuration.
struct DriveInput {
  std::string path;
  std::unique_ptr<io::Disk> disk;  ///< null: its directory is not there
  std::string why;                 ///< then
};

/// Where a drive was last seen, by its uuid; empty: nobody knows.
using LastPath = std::function<std::string(const std::string& uuid)>;

/// Locks all drives and looks at them. Errors: already_exists if somebody else has one locked,
/// io_error. Everything else is in the report. Blocking.
Result<void> look_at_drives(const std::vector<DriveInput>& drives,
                            const LastPath& last_path,
                            Report& report);

}  // namespace outcrop::check
