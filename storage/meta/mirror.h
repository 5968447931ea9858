// One metadata mirror: an index on one drive, the queue of updates it has yet to apply, and the
// small files that say which directory is the mirror.
#pragma once
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "storage/drives/drive_set.h"
#include "storage/meta/journal_format.h"
#include "storage/meta/rocks_index.h"

namespace outcrop::meta {

/// How far a mirror has come, as it is stored in the mirror itself with the updates it counts.
struct Positions {
  std::map<unsigned, Sequence> applied;  ///< by worker; all of its transactions up to here
  Sequence floor = 0;                    ///< all transactions of all workers up to here
  std::set<Sequence> voided;             ///< replay refused these: they were never acked

  Sequence of(unsigned worker) const {
    const auto at = applied.find(worker);
    return at == applied.end() ? floor : std::max(floor, at->second);
  }
};

std::string position_key(unsigned worker);
std::string floor_key();
std::string void_key(Sequence sequence);
std::string position_value(Sequence sequence);

/// Thread-safe. drain() and opening block.
class Mirror {
 public:
  Mirror(drives::Slot slot, std::string dir) : x_slot(slot), x_dir(std::move(dir)) {}
  Mirror(const Mirror&) = delete;

  /// Opens the mirror that the drive's marker names. Errors: not_found without a marker.
  static Result<std::shared_ptr<Mirror>> open(drives::DriveSet& drives,
                                              drives::Slot slot,
                                              const IndexOptions& options);
  /// An empty mirror in a fresh directory; not yet named by the marker.
  static Result<std::shared_ptr<Mirror>> create(drives::DriveSet& drives,
                                                drives::Slot slot,
                                                const IndexOptions& options);
  /// Makes this directory the one that open() finds.
  Result<void> publish(drives::DriveSet& drives);

  drives::Slot slot() const { return x_slot; }
  const std::string& dir() const { return x_dir; }
  RocksIndex& index() { return *x_index; }
  Result<Positions> read_positions();

  /// The first error sticks; true if this was it.
  bool mark_failed(const Error& why);
  bool failed() const { return x_failed.load(std::memory_order_acquire); }
  Error why() const;

  /// Queues updates; true if the caller must see to it that drain() runs.
  bool enqueue(Updates updates);
  /// Keeps queued updates back until the next drain().
  void hold();
  std::size_t queued_bytes() const { return x_queued_bytes.load(std::memory_order_relaxed); }
  /// True if all that was queued is applied; only while nothing can be queued.
  bool idle() const { return x_queued_bytes.load(std::memory_order_acquire) == 0; }
  /// Applies what is queued, in order. A failure marks the mirror.
  void drain();

 private:
  static IndexOptions watched(IndexOptions options, const std::shared_ptr<Mirror>& mirror);

  drives::Slot x_slot;
  std::string x_dir;
  std::atomic<bool> x_failed{false};
  mutable std::mutex x_mutex;  // guards x_why, x_queue, x_draining
  std::optional<Error> x_why;
  std::deque<Updates> x_queue;
  bool x_draining = false;
  std::atomic<std::size_t> x_queued_bytes{0};
  std::mutex x_apply_mutex;             // one drain at a time keeps the order
  std::unique_ptr<RocksIndex> x_index;  // last: its threads report errors until it is closed
};

/// True if some drive carries the mark of a store that has been created, or journal files. An error
/// if none does and one of them did not answer.
Result<bool> store_was_created(drives::DriveSet& drives);
/// Puts the mark on every live drive that lacks it. A drive that fails is ejected, a full one does
/// without, as long as more than m have it.
Result<void> mark_store_created(drives::DriveSet& drives);
/// Removes all mirror directories of a drive but `keep` (empty: all).
Result<void> remove_other_mirrors(io::Disk& disk, const std::string& keep);

}  // namespace outcrop::meta
