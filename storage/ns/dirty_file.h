// What has been written to files and is not stored yet, by inode. A file is here from its first
// write until a flush has stored everything and nobody looks at it any more.
//
// The order of things, which the operations on data rely on:
// - A reader looks here first and at the record second: what a flush moves from here to the record
//   is then in one of them, or in both.
// - Writers only take the file's mutex, so they never wait for a flush. A flush takes what is here
//   (begin_flush), stores it, commits under the inode's lock, and lets go of it (end_flush).
// - An operation that changes stored data in another way (a truncation, a clone) closes the gate
//   while it works: writers and readers wait, flushes do not.
// - Whatever moves between here and the record moves the epoch: a reader that was under way looks
//   again, so that what it saw here and there belongs together.
// Any thread; no call suspends.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/ids.h"
#include "storage/ns/change_counter.h"
#include "storage/ns/dirty_runs.h"
#include "storage/ns/tally.h"

namespace outcrop::ns {

/// A file with more runs than this is flushed, however few bytes they are.
inline constexpr std::size_t kMaxDirtyRuns = 4096;

/// Times are wall clock; `since_ns` is the steady clock's, of the oldest write.
struct DirtyView {
  bool dirty = false;
  bool gated = false;  ///< wait_gate(), then look again
  std::uint64_t epoch = 0;
  std::uint64_t end = 0;  ///< behind the last byte that is here: the file is at least so long
  std::uint64_t change = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  std::vector<PlacedBytes> bytes;  ///< ascending, without overlaps
};

class DirtyFile {
 public:
  DirtyFile(InodeId ino, std::shared_ptr<WriteBudget> budget, ChangeCounter& changes)
      : x_ino(ino), x_budget(std::move(budget)), x_changes(changes) {}
  DirtyFile(const DirtyFile&) = delete;
  InodeId ino() const { return x_ino; }

  struct Write {
    std::uint64_t offset = 0;
    std::span<Buffer> data;
    std::int64_t wall_ns = 0, steady_ns = 0;
    std::uint64_t seals = 0;  ///< seals() when it was known which version this is about
    /// What the write adds to the bucket, and the epoch that it was found out in: in buckets with a
    /// limit.
    std::optional<std::uint64_t> epoch{};
    Reservation reservation{};
  };
  enum class Written : std::uint8_t { done, gated, retired, sealed, moved };
  /// retired: the table has let go of the file, take a new one from it. sealed: the version may be
  /// another one now. moved: the epoch is another one.
  Written write(Write& write);
  std::uint64_t epoch() const;

  /// With the bytes of [from, to).
  DirtyView view(std::uint64_t from, std::uint64_t to) const;
  /// The next position at or behind `offset` that is (or is not) written here.
  std::uint64_t next(std::uint64_t offset, bool written) const;
  std::uint64_t bytes() const;
  std::size_t runs() const;
  std::int64_t since_ns() const;  ///< INT64_MAX: clean

  // Flushing: one at a time.
  std::uint64_t written() const;  ///< number of the last write
  enum class Entry : std::uint8_t { clean, mine, wait };
  /// What to do to have the writes up to `target` stored. mine: begin_flush, then end_flush.
  Entry enter_flush(std::uint64_t target);
  enum class Pressure : std::uint8_t { none, flush, wait };
  /// What a writer is to do when `bytes` or kMaxDirtyRuns may wait. flush: nobody does it. wait: a
  /// flush runs, but as much again has come meanwhile.
  Pressure pressure(std::uint64_t bytes) const;
  /// For Entry::wait and Pressure::wait. Resumes at the end of the flush that runs, with its error
  /// if it was to store `target`.
  void wait_flush(std::uint64_t target, Resume<void> resume);
  struct Snapshot {
    std::uint64_t change = 0;  ///< of the last write in it
    std::vector<PlacedBytes> bytes;
  };
  Snapshot begin_flush();
  /// What is still to be stored of the snapshot: truncations cut it.
  std::vector<PlacedBytes> flushing() const;
  /// What is reserved for it: for the flush's transaction. It comes back if that fails.
  Reservation take_reservation();
  void keep_reservation(Reservation reservation);
  void end_flush(Result<void> result);

  // Gate.
  bool close_gate();  ///< false: retired
  /// What is behind `size` is gone: under the gate, when the truncation is committed.
  void truncate(std::uint64_t size);
  /// The record got these times from what does not come through here: if anything is here, it does
  /// not bring older ones back.
  void stamp(std::int64_t mtime_ns, std::int64_t ctime_ns);
  /// The version that was written so far takes no more bytes: under the gate.
  void seal() { x_seals.fetch_add(1, std::memory_order_release); }
  std::uint64_t seals() const { return x_seals.load(std::memory_order_acquire); }
  void open_gate();
  void wait_gate(Resume<void> resume);
  /// Forgets everything: the inode is gone.
  void drop();

 private:
  friend class DirtyTable;
  void release_unused();
  bool clean() const { return x_runs.empty() && x_flushing.empty(); }
  bool idle() const { return clean() && !x_in_flush && x_gates == 0; }

  const InodeId x_ino;
  const std::shared_ptr<WriteBudget> x_budget;
  ChangeCounter& x_changes;
  mutable std::mutex x_mutex;
  DirtyRuns x_runs;
  DirtyRuns x_flushing;  ///< below x_runs
  /// No less than what a flush of either adds to the bucket, where a limit counted for its writes.
  Reservation x_runs_reserved, x_flushing_reserved;
  std::uint64_t x_written = 0, x_flushed = 0, x_taken = 0;  ///< numbers of writes
  std::uint64_t x_change = 0;
  std::int64_t x_mtime_ns = 0, x_ctime_ns = 0;
  std::int64_t x_since_ns = INT64_MAX;
  std::uint64_t x_epoch = 0;
  std::atomic<std::uint64_t> x_seals{0};
  unsigned x_gates = 0;
  bool x_in_flush = false;
  bool x_retired = false;
  struct FlushWaiter {
    std::uint64_t target;
    Resume<void> resume;
  };
  std::vector<FlushWaiter> x_flush_waiters;
  std::vector<Resume<void>> x_gate_waiters;
};
using DirtyFilePtr = std::shared_ptr<DirtyFile>;

/// Suspends while the gate is closed.
Task<> pass_gate(DirtyFile& file);

/// Closes a file's gate while it lives.
class GateHold {
 public:
  explicit GateHold(DirtyFilePtr file) : x_file(std::move(file)) {}
  GateHold(GateHold&&) = default;
  GateHold& operator=(GateHold&&) = delete;
  ~GateHold();
  DirtyFile& file() const { return *x_file; }

 private:
  DirtyFilePtr x_file;  ///< closed already
};

class DirtyTable {
 public:
  DirtyTable(std::uint64_t budget_bytes, ChangeCounter& changes)
      : x_budget(std::make_shared<WriteBudget>(budget_bytes)), x_changes(changes) {}
  DirtyTable(const DirtyTable&) = delete;

  const WriteBudget& budget() const { return *x_budget; }
  /// False: no file at all is here, and nobody need ask about one.
  bool any() const { return x_count.load() > 0; }
  DirtyFilePtr find(InodeId ino);  ///< null: clean
  DirtyFilePtr open(InodeId ino);  ///< made if it is not there
  DirtyView view(InodeId ino, std::uint64_t from = 0, std::uint64_t to = 0);
  GateHold close_gate(InodeId ino);
  /// Lets go of the file if there is nothing in it.
  void retire(const DirtyFilePtr& file);
  void drop(InodeId ino);
  std::vector<DirtyFilePtr> all();

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<InodeId, DirtyFilePtr> files;
  };
  Shard& shard(InodeId ino) { return x_shards[ino % x_shards.size()]; }

  const std::shared_ptr<WriteBudget> x_budget;
  ChangeCounter& x_changes;
  std::atomic<std::size_t> x_count{0};
  std::array<Shard, 64> x_shards;
};

}  // namespace outcrop::ns
