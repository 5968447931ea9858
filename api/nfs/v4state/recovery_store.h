// What of NFSv4 state survives a restart: which clients had any (RFC 8881 8.4.3, RFC 7530 9.6.3.4).
// Only they may reclaim; without a record there is no grace period at all.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/nfs/v4state/types.h"
#include "storage/base/bytes.h"
#include "storage/base/task.h"

namespace outcrop::nfs {

struct RecoveryRecord {
  /// Clients of 4.0 (SETCLIENTID) and of 4.1+ (EXCHANGE_ID) are apart even with the same owner.
  bool sessions = true;
  std::string owner;  ///< co_ownerid, or id of nfs_client_id4; the key together with `sessions`
  Principal principal;
  bool operator==(const RecoveryRecord&) const = default;
};

/// Version byte and fields; all bytes are used up. For stores that keep bytes.
std::string encode(const RecoveryRecord& record);
Result<RecoveryRecord> decode_recovery_record(ConstBytes bytes);  ///< corrupt

/// One step of apply(): the record of this key is replaced, or goes (fine if there is none).
struct RecoveryChange {
  bool erase = false;
  RecoveryRecord record;  ///< erase: only the key counts
};

/// Thread: any worker; the state manager has one call in flight at a time. Durability: a call that
/// returned ok is durable. Errors: those of the storage behind it.
class RecoveryStore {
 public:
  virtual ~RecoveryStore() = default;
  /// Everything there is; once, before the first apply().
  virtual Task<std::vector<RecoveryRecord>> load() = 0;
  /// In order. After an error any part may have happened; all of it is asked for again.
  virtual Task<> apply(std::vector<RecoveryChange> changes) = 0;
};

/// For tests, and for a server that does not want recovery. Keeps its records over state managers.
class MemoryRecoveryStore : public RecoveryStore {
 public:
  Task<std::vector<RecoveryRecord>> load() override;
  Task<> apply(std::vector<RecoveryChange> changes) override;
  std::vector<RecoveryRecord> records() const;

 private:
  mutable std::mutex x_mutex;
  std::map<std::pair<bool, std::string>, RecoveryRecord> x_records;
};

}  // namespace outcrop::nfs
