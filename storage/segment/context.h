// What every part of the segment store works with; owned by the engine, outlives them all.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/random.h"
#include "storage/base/worker.h"
#include "storage/drives/drive_set.h"
#include "storage/io/disk.h"
#include "storage/meta/meta_store.h"

namespace outcrop::segment {

/// Relaxed counters for metrics.
struct SegmentStats {
  std::atomic<std::uint64_t> recycled{0}, reconstructed_reads{0}, corrupt_chunks{0};
  std::atomic<std::uint64_t> repaired_chunks{0}, moved_shards{0}, moved_bytes{0};
  std::atomic<std::uint64_t> reads{0}, read_ns{0};  ///< that went to the drives for somebody
  std::atomic<std::uint64_t> hedged_reads{0};       ///< late ones that were not waited for
};

/// What readers found damaged, for whoever repairs it. Any thread.
class DamageNotes {
 public:
  struct Note {
    SegmentId segment = 0;
    std::uint64_t from = 0, to = 0;  ///< of each shard file
  };
  /// Beyond kMax notes it is forgotten: a scrub finds it again.
  void add(const Note& note);
  std::vector<Note> take();

 private:
  static constexpr std::size_t kMax = 1024;
  std::mutex x_mutex;
  std::vector<Note> x_notes;
};

struct Context {
  drives::DriveSet& drives;
  BlockingPool& pool;
  Random& random;
  std::vector<asio::io_context*> workers;  ///< by worker index
  std::vector<io::IoBackend*> backends;    ///< by worker index
  std::uint64_t shard_bytes = 0;
  meta::MetaStore* meta = nullptr;  ///< set once the metadata is open
  /// Has garbage freed for who finds no room, and whether it may look again; set once, before the
  /// first write. Empty: nobody does. Any worker; what is committed on the way needs no segment.
  std::function<Task<bool>()> make_room;
  SegmentStats stats;
  DamageNotes damage;
  /// Shared by whoever places files that no record names yet, on drives that are live then; alone
  /// for who looks which files of a drive that comes back belong to no record.
  std::shared_mutex placing;

  Context(drives::DriveSet& d,
          BlockingPool& p,
          Random& r,
          std::vector<asio::io_context*> w,
          std::vector<io::IoBackend*> b,
          std::uint64_t shard)
      : drives(d),
        pool(p),
        random(r),
        workers(std::move(w)),
        backends(std::move(b)),
        shard_bytes(shard) {}
  io::IoBackend& backend() const { return *backends[worker_index()]; }
  /// Whether a read should rather go elsewhere. Not if more drives are late than may be missing:
  /// then it is the machine.
  bool late(drives::Slot slot) const;
};

}  // namespace outcrop::segment
