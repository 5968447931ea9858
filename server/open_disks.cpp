#include "server/open_disks.h"

#include <algorithm>
#include <optional>

#include "storage/base/log.h"
#include "storage/io/disk.h"
#include "storage/io/faults.h"

namespace outcrop::server {
namespace {

Error cannot_open(const std::string& path, const Error& why) {
  return Error(Errc::config, "storage.drives: " + path + ": " + why.describe() +
                                 "; create the directory or mount the drive, or take it off the "
                                 "list");
}

}  // namespace

Result<Disks> open_disks(const std::vector<std::string>& paths) {
  Disks disks;
  for (const std::string& path : paths) {
    Result<std::unique_ptr<io::Disk>> disk = io::open_posix_disk(path);
    if (!disk) {
      return fail(cannot_open(path, disk.error()));
    }
    disks.push_back(*std::move(disk));
  }
  return disks;
}

Result<Disks> DriveOpener::open_present(const std::vector<std::string>& paths) {
  Disks disks;
  std::optional<Error> first;
  for (const std::string& path : paths) {
    Result<std::unique_ptr<io::Disk>> disk = io::open_posix_disk(path);
    if (disk) {
      x_numbers.emplace(path, static_cast<unsigned>(disks.size()));
      disks.push_back(with_faults(*std::move(disk)));
      continue;
    }
    log::warn("drive is missing", {{"drive", path}, {"error", disk.error().describe()}});
    first = first ? std::move(first) : cannot_open(path, disk.error());
  }
  if (disks.empty() && first) {
    return fail(*std::move(first));
  }
  return disks;
}

std::unique_ptr<io::Disk> DriveOpener::with_faults(std::unique_ptr<io::Disk> disk) const {
  const auto number = x_numbers.find(disk->name());
  return !x_faults || number == x_numbers.end()
             ? std::move(disk)
             : io::make_faulty(std::move(disk), number->second, x_faults);
}

Disks DriveOpener::look(const std::vector<std::string>& paths,
                        const std::vector<std::string>& but) {
  Disks disks;
  for (const std::string& path : paths) {
    std::weak_ptr<const void>& opening = x_opening[path];
    if (std::ranges::find(but, path) != but.end() || !opening.expired()) {
      continue;
    }
    auto keep = std::make_shared<char>();
    opening = keep;
    if (auto disk = io::open_posix_disk(path, std::move(keep))) {
      disks.push_back(with_faults(*std::move(disk)));
    }
  }
  return disks;
}

Result<std::shared_ptr<io::FaultPlan>> plan_faults(const std::string& text) {
  if (text.empty()) {
    return std::shared_ptr<io::FaultPlan>();
  }
  auto parsed = io::parse_faults(text);
  if (!parsed) {
    return fail(Errc::config, "--test-faults: " + std::string(parsed.error().detail()));
  }
  log::warn("this is a test: drives are made to fail", {{"faults", text}});
  auto plan = std::make_shared<io::FaultPlan>(parsed->seed);
  for (io::FaultRule& rule : parsed->rules) {
    plan->add(std::move(rule));
  }
  return plan;
}

}  // namespace outcrop::server
