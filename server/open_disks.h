// The drives of the configuration, opened, and what tests plan to go wrong with them.
#pragma once
#include <map>
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
/// Null without --test-faults. A plan's drives are numbered as the configuration has them.
Result<std::shared_ptr<io::FaultPlan>> plan_faults(const std::string& text);

/// Opens drives that may be missing, and makes them fail by the plan of a test, if there is one.
/// Calls block, one at a time.
class DriveOpener {
 public:
  explicit DriveOpener(std::shared_ptr<io::FaultPlan> faults = nullptr)
      : x_faults(std::move(faults)) {}
  /// Those that are there and answer: which ones are needed, the engine decides. A list that names
  /// none of them is a mistake, and fails like open_disks().
  Result<Disks> open_present(const std::vector<std::string>& paths);
  /// Those that are there now, `but` these: for whoever looks for one that was away, again and
  /// again. A path at which an earlier look still hangs is passed over.
  Disks look(const std::vector<std::string>& paths, const std::vector<std::string>& but);

 private:
  std::unique_ptr<io::Disk> with_faults(std::unique_ptr<io::Disk> disk) const;

  std::shared_ptr<io::FaultPlan> x_faults;
  std::map<std::string, unsigned, std::less<>> x_numbers;      // of the plan's drives, by path
  std::map<std::string, std::weak_ptr<const void>> x_opening;  // until the kernel is done with it
};

}  // namespace outcrop::server
