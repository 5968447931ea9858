// What the journal needs of the store of small payloads, whose records are written with it.
#pragma once
#include <span>
#include <vector>

#include "storage/base/ids.h"
#include "storage/base/task.h"
#include "storage/io/disk.h"

namespace outcrop::meta {

class MetaStore;

/// Implemented by the blob store. take_pending and finished run on the worker they name; attach,
/// recovered and verify_and_complete run on the opening worker, one after the other.
class CommitCompanion {
 public:
  virtual ~CommitCompanion() = default;

  /// Called once, before replay. get() and scan() of `store` work from here on and show what has
  /// been replayed so far; commit() works when JournaledMetaStore::open has returned.
  virtual void attach(MetaStore& store) = 0;
  /// The payload writes that the transactions of this worker's next block, and of those that wait
  /// behind it, rely on. They are submitted together with the block. An error, or one of finished,
  /// fails them all: some payload has no live drive to go to.
  virtual Result<std::vector<io::IoOp>> take_pending(unsigned worker) = 0;
  /// Every op of take_pending has its result. Ok: each payload is durable on at least one live
  /// drive, and drives that failed have been ejected, so that the block may be acked. Not called
  /// when take_pending gave no ops.
  virtual Task<> finished(unsigned worker, std::span<io::IoOp> ops) = 0;
  /// Replay: true if the payload of a fresh extent verifies on at least one drive; missing copies
  /// have been written again then. The records that come before the transaction are visible.
  /// unavailable if no drive with a copy answers: silence does not prove that it was never written.
  virtual Task<bool> verify_and_complete(const Extent& extent) = 0;
};

}  // namespace outcrop::meta
