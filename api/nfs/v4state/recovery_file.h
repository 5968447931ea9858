// The recovery store as one file, <state_dir>/nfs-clients (0600): a log of changes, each with its
// length and checksum, appended and synced; rewritten as a whole (new file, sync, rename) at start
// and when most of it is outdated.
//
// A tail that a crash cut off is dropped: nobody was answered for it. Damage anywhere else, or a
// file that is not ours, is put aside as nfs-clients.damaged and the store starts empty: clients
// then may not reclaim, which is safe, while an erasure that is lost would not be.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/nfs/v4state/recovery_store.h"
#include "storage/base/async.h"

namespace outcrop::nfs {

/// The changes of a log, without a tail that was cut off. False: it is damaged, or none of ours.
bool replay_recovery_log(std::string_view text, std::vector<RecoveryChange>& out);

/// Owned by the composition root; `pool` is borrowed and does all that blocks. One call at a time,
/// as RecoveryStore says. After an error of a write the next one starts with a rewrite.
class FileRecoveryStore final : public RecoveryStore {
 public:
  FileRecoveryStore(std::filesystem::path file, BlockingPool& pool)
      : x_file(std::move(file)), x_pool(pool) {}
  ~FileRecoveryStore() override;

  Task<std::vector<RecoveryRecord>> load() override;
  Task<> apply(std::vector<RecoveryChange> changes) override;

  std::uint64_t file_bytes() const { return x_bytes; }  ///< for tests

 private:
  using Key = std::pair<bool, std::string>;
  Result<std::vector<RecoveryRecord>> read();
  Result<void> append(const std::vector<RecoveryChange>& changes);
  Result<void> rewrite();
  void take(RecoveryChange change);
  void close();

  const std::filesystem::path x_file;
  BlockingPool& x_pool;
  int x_fd = -1;                   ///< open for appending; -1: the next write rewrites
  std::uint64_t x_bytes = 0;       ///< of the file
  std::uint64_t x_live_bytes = 0;  ///< of entries for x_records alone
  std::map<Key, RecoveryRecord> x_records;
};

}  // namespace outcrop::nfs
