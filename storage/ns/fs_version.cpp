// The file view in buckets with versions: what is there when a client begins to write becomes a
// version, and the file goes on in place under a new version id.
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/history.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

struct SessionOp {
  FileId file;
  InodeId busy = 0;
  InodeId spare = 0;
  std::uint32_t spares = 0, spares_needed = 1;
};

// False: the plan was outrun.
Task<bool> try_begin(Core& core, SessionOp& op) {
  LockPlan locks;
  lock_bucket_shared(locks, op.file.root);
  locks.add(inode_lock(op.file.ino), LockMode::exclusive);
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  const Versioning versioning = core.versioned.of(op.file.root);
  if (versioning == Versioning::off ||
      core.holds->continue_session(op.file.ino, core.clock.steady_ns())) {
    co_return true;
  }
  CO_TRY(const ObjectPtr before, co_await load_inode(core, op.file));
  if (before->record.type != InodeType::file) {
    co_return true;
  }
  if (before->record.links() == 0) {  // no key any more, and no look at it for each write
    core.holds->begin_session(op.file.ino, core.clock.steady_ns());
    co_return true;
  }
  InodeId busy = 0;
  CO_TRY(const Renewal renewal, co_await plan_renewal(core, held, versioning, *before, busy));
  op.busy = busy != 0 ? busy : op.busy;
  op.spares_needed = renewal_inodes(*before);
  if (busy != 0 || op.spares_needed > op.spares) {
    co_return false;
  }
  const bool keeps = std::ranges::any_of(renewal.names, &KeyHistory::keep);
  if (keeps) {
    Object after = *before;
    Transaction tx(core);
    apply_renewal(tx, renewal, *before, after, op.spare);
    tx.put_main(after);
    CO_TRYV(co_await put_summaries(core, tx, after));
    CO_TRYV(co_await tx.commit());
  }
  core.holds->begin_session(op.file.ino, core.clock.steady_ns());
  co_return true;
}

}  // namespace

Task<> begin_version(Core& core, FileId file) {
  if (!needs_version(core, file) ||
      core.holds->continue_session(file.ino, core.clock.steady_ns())) {
    co_return ok();
  }
  SessionOp op{.file = file};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (op.spares_needed > op.spares) {
      CO_TRY(op.spare, co_await core.inodes.allocate(op.spares_needed));
      op.spares = op.spares_needed;
    }
    // What an earlier session has written is of the version that it made.
    CO_TRYV(co_await flush_file(core, file.ino));
    CO_TRY(const bool begun, co_await try_begin(core, op));
    if (begun) {
      co_return ok();
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
