// The drives of the configuration, opened, and what tests plan to go wrong with them.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::io {
class Disk;
class FaultPlan;
}  // namespace outcrop::io

namespace outcrop::server {

using Disks = std::vector<std::unique_ptr<io::Disk>>;

/// All of them, or config with what to do. Blocking.
Result<Disks> open_disks(const std::vector<std::string>& paths);
/// Those that are there and answer: which ones are needed, the engine decides. A list that names
/// none of them is a mistake, and fails like open_disks(). Blocking.
Result<Disks> open_present_disks(const std::vector<std::string>& paths);

/// Null without --test-faults. A plan's drives are numbered as the configuration has them.
Result<std::shared_ptr<io::FaultPlan>> plan_faults(const std::string& text);

}  // namespace outcrop::server
