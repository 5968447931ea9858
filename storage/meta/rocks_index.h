// One RocksDB instance on one drive: the index that a metadata mirror keeps. No write-ahead log:
// what is not flushed comes back from the journal. Values carry a checksum that covers their key.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/io/disk.h"
#include "storage/meta/meta_store.h"

namespace outcrop::meta {

/// The block cache that all instances share.
class IndexCache {
 public:
  explicit IndexCache(std::uint64_t bytes);
  ~IndexCache();
  std::uint64_t used_bytes() const;

 private:
  friend class RocksIndex;
  struct Impl;
  std::unique_ptr<Impl> x_impl;
};

/// A set of updates in the form that apply() takes; one rep may be applied to many instances.
class IndexBatch {
 public:
  IndexBatch();
  ~IndexBatch();
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  std::string take() &&;

 private:
  struct Impl;
  std::unique_ptr<Impl> x_impl;
};

/// Updates in the form that RocksIndex::apply takes, shared by the instances they go to.
using Updates = std::shared_ptr<const std::string>;

/// One set of updates with the effect of all of them, applied in their order: the last update of
/// every key, sorted by key, which a memtable takes several times faster.
Updates merge(std::span<const Updates> in_order);

struct IndexOptions {
  std::shared_ptr<IndexCache> cache;
  std::uint64_t memtable_bytes = 16 << 20;
  std::uint64_t table_file_bytes = 64 << 20;
  bool compactions = true;  ///< by itself, in the background
  /// Called on a RocksDB thread when a flush or compaction failed; must not block.
  std::function<void(Error)> on_background_error;
};

/// Where a read may look: `cache` never touches the drive and may come back unanswered.
enum class Tier : std::uint8_t { cache, drive };

/// Thread-safe. open, flush, copy_from, verify and reads with Tier::drive block. Errors: io_error
/// and no_space from the drive, corrupt for anything that does not verify.
class RocksIndex {
 public:
  class View;

  static Result<std::unique_ptr<RocksIndex>> open(io::Disk& disk,
                                                  const std::string& dir,
                                                  IndexOptions options,
                                                  bool create);
  ~RocksIndex();

  /// Applies a batch to the memtable. False: it would have to wait for a flush (blocking == false).
  Result<bool> apply(const std::string& rep, bool blocking);
  /// False: unanswered, the drive is needed.
  Result<bool> get(std::string_view key,
                   Tier tier,
                   const View* at,
                   std::optional<std::string>& out);
  /// Appends to `page` from where it ends. False: unanswered from there on, the drive is needed.
  Result<bool> scan(const ScanRequest& request, Tier tier, const View* at, ScanPage& page);
  /// A consistent view; must be gone before the index is.
  std::shared_ptr<const View> view();

  /// Everything applied before the call is on stable storage when it returns.
  Result<void> flush();
  /// Rewrites the table files without what was erased or replaced, which wins its space back. Sets
  /// of records go one by one; `cancelled` ends it early, without an error. Blocking, for long.
  Result<void> compact(std::atomic<bool>& cancelled);
  /// After no_space: tries to write again what could not be written. Blocking.
  Result<void> resume();
  /// Copies all entries of `source` at `at` into this empty index, verified, and flushes.
  /// `go_on` is asked now and then; false stops with Errc::cancelled. `source_failed` tells whose
  /// error it was.
  Result<void> copy_from(RocksIndex& source,
                         const View& at,
                         const std::function<bool()>& go_on,
                         bool& source_failed);
  /// Reads every table file and checks its checksums.
  Result<void> verify();
  std::uint64_t memtable_bytes() const;
  std::uint64_t file_bytes() const;  ///< of its tables: rewriting all takes as much again

 private:
  RocksIndex();
  struct Impl;
  std::unique_ptr<Impl> x_impl;
};

}  // namespace outcrop::meta
