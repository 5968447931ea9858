// The metadata of a store that nobody serves, as the next start would find it: the journal is
// replayed into all mirrors, and each can be read by itself. For checks; the drives should be
// overlays (io/overlay_disk.h), because opening and replaying writes.
#pragma once
#include <memory>
#include <vector>

#include "storage/base/async.h"
#include "storage/meta/companion.h"
#include "storage/meta/config.h"
#include "storage/meta/journal_check.h"
#include "storage/meta/mirror_set.h"
#include "storage/meta/replay.h"

namespace outcrop::meta {

/// One thread. The stores take no commits and end with this.
class OfflineMeta {
 public:
  /// Opens the mirrors of the newest epoch and replays. `companion` is attached to a store that
  /// shows what has been replayed so far. Errors: unavailable if no mirror opens, corrupt.
  static Task<std::unique_ptr<OfflineMeta>> open(MetaConfig config,
                                                 drives::DriveSet& drives,
                                                 CommitCompanion& companion,
                                                 BlockingPool& pool);
  ~OfflineMeta();

  std::size_t mirrors() const { return x_mirrors.size(); }
  drives::Slot slot(std::size_t mirror) const;
  MetaStore& store(std::size_t mirror);
  /// Reads every table file of a mirror and checks it. Blocking.
  Result<void> verify(std::size_t mirror);
  /// Mirrors of the epoch that cannot be used, and why.
  const std::vector<MirrorSet::Loss>& losses() const { return x_set.losses(); }
  const JournalReport& journal() const { return x_journal; }
  const ReplayOutcome& replayed() const { return x_outcome; }

 private:
  class Store;
  OfflineMeta(MetaConfig config, drives::DriveSet& drives, BlockingPool& pool);
  Task<> start(drives::DriveSet& drives, CommitCompanion& companion);

  BlockingPool& x_pool;
  MirrorSet x_set;
  std::unique_ptr<Store> x_replaying;
  std::vector<std::unique_ptr<Store>> x_mirrors;
  JournalReport x_journal;
  ReplayOutcome x_outcome;
};

}  // namespace outcrop::meta
