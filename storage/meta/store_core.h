// What JournaledMetaStore is made of, shared with its background work.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "storage/meta/committer.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/meta/missed_drives.h"

namespace outcrop::meta {

/// How threads that the core does not own (RocksDB's, the pool's) call for attention. It outlives
/// the core, and never keeps it alive.
class Bell {
 public:
  void attach(JournaledMetaStore::Core* core);
  /// A mirror failed or a drive left. Any thread; does not block.
  void ring();

 private:
  std::mutex x_mutex;
  JournaledMetaStore::Core* x_core = nullptr;
};

class JournaledMetaStore::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(MetaConfig config,
       drives::DriveSet& drives,
       CommitCompanion& companion,
       std::vector<MetaWorker> workers,
       BlockingPool& pool);
  ~Core();

  /// Everything open() does once the companion can reach the store.
  Task<> start();
  void request_maintenance();
  void request_checkpoint();
  void settle_doubts();
  Task<> checkpoint();
  Task<> compact(std::atomic<bool>& cancelled);
  void stop_maintenance() { x_mirrors->stop(); }
  Task<bool> needs(drives::Slot slot);
  Task<> renew_reader();
  Task<> close();
  drives::Stock& journals() { return x_files; }
  void hold(bool on) { x_shared.held.store(on, std::memory_order_relaxed); }
  MetaStats stats() const;

  Committer& committer() { return *x_committers[worker_slot()]; }
  bool serving() const { return !x_committers.empty(); }
  MirrorSet& mirrors() { return *x_mirrors; }
  BlockingPool& pool() { return x_pool; }
  /// The mirror to read, from this worker's copy of the pointer.
  const std::shared_ptr<Mirror>& reader();
  void count_hit() { x_hits.fetch_add(1, std::memory_order_relaxed); }
  void count_miss() { x_misses.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct alignas(64) CachedReader {
    std::uint64_t version = 0;
    std::shared_ptr<Mirror> mirror;
  };

  std::size_t worker_slot() const;
  Task<> maintain();
  Task<> background_checkpoint();
  Result<void> checkpoint_blocking();
  Result<void> settle_missed(const std::vector<Sequence>& flushed);
  Task<> open_journals(Sequence floor);

  const MetaConfig x_config;
  drives::DriveSet& x_drives;
  const std::vector<MetaWorker> x_workers;
  BlockingPool& x_pool;
  std::shared_ptr<Bell> x_bell;
  std::atomic<bool> x_maintenance_wanted{false};
  std::atomic<bool> x_checkpoint_wanted{false};
  std::unique_ptr<MirrorSet> x_mirrors;
  JournalFiles x_files;
  CommitShared x_shared;
  std::vector<std::unique_ptr<Committer>> x_committers;
  std::vector<CachedReader> x_readers;    // by worker
  TaskGroup x_background;                 // worker 0
  std::vector<drives::Slot> x_placement;  // worker 0: at the last look
  bool x_running = false;                 // worker 0: between start() and close()
  MissedDrives x_missed;
  std::atomic<std::uint64_t> x_hits{0}, x_misses{0}, x_checkpoints{0};
};

}  // namespace outcrop::meta
