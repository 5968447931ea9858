// The metadata store of the engine: a journal on m+1 drives is what makes a commit durable, and
// RocksDB mirrors on m+1 drives are the index that is read. See docs/ON_DISK_FORMAT.md.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "storage/base/async.h"
#include "storage/drives/drive_set.h"
#include "storage/drives/stock.h"
#include "storage/meta/companion.h"
#include "storage/meta/config.h"
#include "storage/meta/meta_store.h"

namespace outcrop::meta {

/// open -> close. commit, get and scan run on any worker; close() runs on worker 0 while the other
/// workers still run, when no call is in flight, and before the store is destroyed.
class JournaledMetaStore final : public MetaStore {
 public:
  /// Opens or, on drives that never held one, creates the metadata, and replays the journals. Runs
  /// on worker 0 before any worker serves. `workers` is by worker index; everything referred to
  /// outlives the store. Errors: unavailable and corrupt, with a detail for the operator.
  static Task<std::unique_ptr<JournaledMetaStore>> open(MetaConfig config,
                                                        drives::DriveSet& drives,
                                                        CommitCompanion& companion,
                                                        std::vector<MetaWorker> workers,
                                                        BlockingPool& pool);
  ~JournaledMetaStore() override;

  Task<> commit(Batch batch) override;
  Task<std::optional<std::string>> get(std::string_view key, SnapshotPtr at = {}) override;
  Task<ScanPage> scan(ScanRequest request, SnapshotPtr at = {}) override;
  SnapshotPtr snapshot() override;

  /// While `on`, commits are refused with read_only; all else goes on. Any thread.
  void hold(bool on);
  /// Everything committed before the call is in the mirrors on stable storage and needs no replay;
  /// the journal before it is free for reuse. Call it before space is reused whose release was
  /// committed after the payload of a transaction that replay might still look for.
  Task<> checkpoint();
  /// Wins back what erased and replaced records hold on the drives, until `cancelled`. Takes long.
  Task<> compact(std::atomic<bool>& cancelled);
  /// True if a mirror or the journal is on the drive still. Makes what can move away from a drive
  /// that drains or left do so. Runs on worker 0.
  Task<bool> needs(drives::Slot slot);
  /// Reads all that is stored and checks it: what only the journal has is written to the mirrors
  /// first; mirrors that are damaged are replaced. Hands off to the pool. Errors: those of
  /// checkpoint().
  Task<> verify();
  /// Moves the mirrors of these drives to others: they have too little room. Each call replaces
  /// what the one before said. Any thread.
  void crowd(const std::vector<drives::Slot>& slots);
  /// Journal files that are free. Where nobody fills it, commits wait for new ones to be zeroed.
  drives::Stock& journals();
  /// Ends work on the mirrors that takes long: a copy under way is given up, and no other begins.
  /// Before close(), by whoever waits for such work. Any thread.
  void stop_maintenance();
  /// Finishes the blocks in flight and checkpoints, so that the next start has nothing to replay.
  Task<> close();
  /// Any thread.
  MetaStats stats() const;

  class Core;

 private:
  explicit JournaledMetaStore(std::shared_ptr<Core> core);
  std::shared_ptr<Core> x_core;  // background work shares it until close() has waited for that
};

}  // namespace outcrop::meta
