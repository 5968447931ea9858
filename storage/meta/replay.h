// Brings every mirror up to date from the journals at start-up.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "storage/base/async.h"
#include "storage/meta/companion.h"
#include "storage/meta/journal_reader.h"
#include "storage/meta/mirror_set.h"

namespace outcrop::meta {

/// Sequences leave room at each start, so that what an earlier run wrote but never acked, on a
/// drive that is away now, stays below everything written from here on.
inline constexpr Sequence kSequenceGap = 1 << 20;

struct ReplayOutcome {
  std::uint64_t next_generation = 1;
  Sequence floor = 0;  ///< every mirror has everything up to here, durably
  std::uint64_t transactions = 0, refused = 0;
  /// Fresh payload of the last block of each worker, which nobody may have been told of: some of
  /// its copies may not have been written.
  std::vector<Extent> in_doubt;
};

/// Runs once, on the opening worker, before the store serves.
class Replay {
 public:
  Replay(drives::DriveSet& drives,
         MirrorSet& mirrors,
         CommitCompanion& companion,
         BlockingPool& pool);
  /// Errors: corrupt when acked blocks are missing for every mirror; unavailable, also when more
  /// drives fail meanwhile than may: what was acked cannot be told then from what was not.
  Task<ReplayOutcome> run();

 private:
  struct Target {
    std::shared_ptr<Mirror> mirror;
    Positions positions;
    std::unique_ptr<IndexBatch> batch;
    std::map<unsigned, Sequence> moved;  ///< positions that the batch will set
  };
  struct Cursor {
    std::map<Sequence, StoredBlock>::const_iterator next, end;
    std::vector<Transaction> loaded;
    std::size_t at = 0;
    bool last_block = false;  ///< the loaded one: the only one that may be unacked
  };

  Result<void> prepare();
  Result<void> check_drives() const;
  Result<void> drop_incomplete();
  Result<void> chain_reaches(const Positions& from, unsigned worker) const;
  Sequence decided(unsigned worker) const;
  bool voided(Sequence sequence) const;
  Result<Cursor*> next_cursor();
  Task<bool> accept(const Cursor& cursor,
                    unsigned worker,
                    const Transaction& t,
                    ReplayOutcome& outcome);
  void add(unsigned worker, const Transaction& t, bool accepted);
  Result<void> write_out();
  Result<void> finish(ReplayOutcome& outcome);
  Result<void> on_each(const std::function<Result<void>(Target&)>& step);

  drives::DriveSet& x_drives;
  MirrorSet& x_mirrors;
  CommitCompanion& x_companion;
  BlockingPool& x_pool;
  JournalReader x_reader;
  std::vector<Target> x_targets;
  std::map<unsigned, Sequence> x_decided;  ///< by worker: what some mirror already has
  std::set<Sequence> x_voided;
  Sequence x_top = 0;
  std::map<unsigned, Cursor> x_cursors;
  std::size_t x_pending_bytes = 0;
};

}  // namespace outcrop::meta
