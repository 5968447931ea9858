// Clones: a range of one file becomes a range of another by reference to the same extents.
#include "storage/ns/file_change.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/links.h"

namespace outcrop::ns {
namespace {

struct CloneOp {
  FileId source, target;
  std::uint64_t source_offset, target_offset, length;
};

// Length 0: to the source's end.
Result<void> check(CloneOp& op, std::uint64_t source_size) {
  if (op.source_offset > source_size || op.length > source_size - op.source_offset) {
    return fail(Errc::invalid_argument, "clone from behind the end");
  }
  if (op.length == 0) {
    op.length = source_size - op.source_offset;
  }
  if (op.target_offset > kMaxObjectBytes || op.length > kMaxObjectBytes - op.target_offset) {
    return fail(Errc::entity_too_large);
  }
  const bool overlaps = op.source.ino == op.target.ino &&
                        op.source_offset < op.target_offset + op.length &&
                        op.target_offset < op.source_offset + op.length;
  return overlaps ? fail(Errc::invalid_argument, "clone onto itself") : ok();
}

FileChange change_of(const CloneOp& op, const InodeRecord& source, std::uint64_t target_size) {
  FileChange out{
      .bytes = {}, .pieces = {}, .size = std::max(target_size, op.target_offset + op.length)};
  if (source.inline_data.empty()) {
    out.pieces = {
        {op.target_offset, slice_pieces(source.lists.pieces, {op.source_offset, op.length})}};
  } else {
    const ConstBytes bytes = as_bytes(source.inline_data).subspan(op.source_offset, op.length);
    out.bytes = {{op.target_offset, Buffer::copy_of(bytes)}};
  }
  return out;
}

// Both files are stored but for what is written to the source just now.
Task<> clone_stored(Core& core, CloneOp& op) {
  LockPlan plan;
  plan.add(inode_lock(op.source.ino), LockMode::shared);
  plan.add(inode_lock(op.target.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  CO_TRY(const ObjectPtr source, co_await load_inode(core, op.source));
  CO_TRY(const ObjectPtr target, co_await load_inode(core, op.target));
  CO_TRYV(check(op, source->record.size));
  if (op.length == 0) {
    co_return ok();
  }
  FileChange change = change_of(op, source->record, target->record.size);
  Object after = *target;
  CO_TRYV(mark_content(core, after, change.size, stamp_now(core)));
  Transaction tx(core);
  CO_TRYV(co_await put_summaries(core, tx, after));
  CO_TRYV(co_await put_change(core, tx, *target, after, std::move(change)));
  co_return co_await tx.commit();
}

Task<> clone_gated(Core& core, CloneOp& op) {
  const GateHold gate = core.dirty->close_gate(op.target.ino);
  CO_TRYV(co_await flush_file(core, op.source.ino));
  CO_TRYV(co_await flush_file(core, op.target.ino));
  co_return co_await clone_stored(core, op);
}

}  // namespace

Task<std::uint64_t> clone_file(Core& core,
                               FileId source,
                               std::uint64_t source_offset,
                               FileId target,
                               std::uint64_t target_offset,
                               std::uint64_t length) {
  CO_TRY(const FileState from, co_await look_at_file(core, source));
  CO_TRY(const FileState to, co_await look_at_file(core, target));
  CO_TRYV(check_changeable(core, *to.inode.object));
  if (from.record().sealed()) {
    // Its bytes are worth something only where they are. Clients read and write instead.
    co_return fail(Errc::cross_bucket, "an encrypted file cannot be cloned");
  }
  CloneOp op{source, target, source_offset, target_offset, length};
  const auto clone = [&] { return clone_gated(core, op); };
  CO_TRYV(co_await change_bytes(core, target, clone));
  co_return op.length;
}

}  // namespace outcrop::ns
