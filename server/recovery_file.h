// The NFSv4 clients that may reclaim their state after a restart, in <state_dir>/nfs-clients
// (0600). The file is written whole: it is small, and it changes when clients come and go, not when
// they open files.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/nfs/v4state/recovery_store.h"
#include "storage/base/async.h"

namespace outcrop::server {

class RecoveryFile final : public nfs::RecoveryStore {
 public:
  RecoveryFile(std::filesystem::path file, BlockingPool& pool)
      : x_file(std::move(file)), x_pool(pool) {}

  /// Errc::config, one line for the operator, for a file that others may read or that is damaged.
  Task<std::vector<nfs::RecoveryRecord>> load() override;
  Task<> apply(std::vector<nfs::RecoveryChange> changes) override;

 private:
  using Records = std::map<std::pair<bool, std::string>, nfs::RecoveryRecord>;
  Result<Records> read() const;
  static std::string format(const Records& records);

  const std::filesystem::path x_file;
  BlockingPool& x_pool;
  Records x_records;  // what the file holds; one call at a time
};

}  // namespace outcrop::server
