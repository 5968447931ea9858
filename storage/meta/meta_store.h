// MetaStore: an ordered key-value store with atomic, durable, replicated commits. One half of the
// seam behind which another engine can stand (BlobStore is the other). The engine's implementation
// is a journal on m+1 drives with RocksDB mirrors as its index; tests/support has one in memory.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"
#include "storage/base/task.h"

namespace outcrop::meta {

struct Mutation {
  std::string key;
  std::optional<std::string> value;  ///< empty: erase
};

/// One atomic transaction. `fresh` names small payload records placed for this transaction that
/// reach the drives together with its journal block: replay accepts the transaction only if each
/// of them verifies on at least one drive.
struct Batch {
  static constexpr std::size_t kUsualMutations = 4;
  std::vector<Mutation> mutations;
  std::vector<Extent> fresh;

  void put(std::string key, std::string value) {
    if (mutations.empty()) {
      mutations.reserve(kUsualMutations);
    }
    mutations.push_back({std::move(key), std::move(value)});
  }
  void erase(std::string key) { mutations.push_back({std::move(key), std::nullopt}); }
};

/// A consistent view of committed state; cheap; hold it briefly (it pins files).
class Snapshot {
 public:
  virtual ~Snapshot() = default;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

struct ScanRequest {
  std::string lower;                ///< inclusive
  std::string upper;                ///< exclusive; empty: to the end
  std::size_t limit = 1000;         ///< at most this many entries
  std::size_t max_bytes = 1 << 20;  ///< stop after the entry that crosses this
  bool keys_only = false;           ///< values are left empty
};

struct KeyValue {
  std::string key, value;
};

struct ScanPage {
  std::vector<KeyValue> entries;
  bool more = false;  ///< stopped by a limit, not by `upper`
};

/// Limits of one transaction; beyond them commit() fails with entity_too_large.
inline constexpr std::size_t kMaxValueBytes = 64 << 10;
inline constexpr std::size_t kMaxBatchBytes = 8 << 20;

/// Called on any worker thread. Strings passed by view are borrowed until completion.
class MetaStore {
 public:
  virtual ~MetaStore() = default;
  /// Durable on every live journal replica, and visible to get/scan of every worker, on return.
  /// Transactions that touch the same keys must be serialised by the caller (namespace locks).
  /// Errors: no_space, read_only, io_error, unavailable (try again): nothing was applied, and
  /// nothing will be once a later commit has succeeded.
  virtual Task<> commit(Batch batch) = 0;
  virtual Task<std::optional<std::string>> get(std::string_view key, SnapshotPtr at = {}) = 0;
  virtual Task<ScanPage> scan(ScanRequest request, SnapshotPtr at = {}) = 0;
  virtual SnapshotPtr snapshot() = 0;
};

}  // namespace outcrop::meta
