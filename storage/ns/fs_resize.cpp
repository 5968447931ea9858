// Sizes and holes.
#include "storage/ns/file_change.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/links.h"

namespace outcrop::ns {
namespace {

Result<std::uint64_t> end_of(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) {
    return fail(Errc::invalid_argument, "empty range");
  }
  if (offset > kMaxObjectBytes || length > kMaxObjectBytes - offset) {
    return fail(Errc::entity_too_large);
  }
  return offset + length;
}

// What a size that leaves the record does to bytes in it: they are stored ahead, for the caller's
// transaction may suspend before it commits.
Task<> move_out(Core& core, const InodeRecord& before, Transaction& tx, Pieces& out) {
  if (before.inline_data.empty()) {
    co_return ok();
  }
  const std::vector<PlacedBytes> bytes{{0, Buffer::copy_of(as_bytes(before.inline_data))}};
  CO_TRY(auto stream, co_await PayloadStream::store(core, bytes));
  for (const PlacedPieces& placed : stream.pieces_of(bytes)) {
    out = placed.pieces;
  }
  tx.keep(std::make_shared<PayloadStream>(std::move(stream)));
  co_return ok();
}

/// One change of a file's record on its own, under its lock. `make` says what; it may say nothing.
template <class Make>
Task<> change_file(Core& core, FileId id, Make make) {
  LockPlan plan;
  plan.add(inode_lock(id.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  CO_TRY(const ObjectPtr before, co_await load_inode(core, id));
  std::optional<FileChange> change = make(before->record);
  if (!change) {
    co_return ok();
  }
  Object after = *before;
  CO_TRYV(mark_content(core, after, change->size, stamp_now(core)));
  Transaction tx(core);
  CO_TRYV(co_await put_summaries(core, tx, after));
  CO_TRYV(co_await put_change(core, tx, *before, after, *std::move(change)));
  CO_TRYV(co_await tx.commit());
  if (const DirtyFilePtr file = core.dirty->find(id.ino)) {
    file->stamp(after.record.mtime_ns, after.record.mtime_ns);
  }
  co_return ok();
}

// Bytes in memory may reach further by now. Then nothing grows: a record that is newer than they
// are is the truth for listings.
Task<> grow_file(Core& core, FileId file, std::uint64_t end) {
  const GateHold gate = core.dirty->close_gate(file.ino);
  co_return co_await change_file(core, file, [&](const InodeRecord& record) {
    const DirtyView now = gate.file().view(0, 0);
    const std::uint64_t size = now.dirty ? std::max(record.size, now.end) : record.size;
    return end > size ? std::optional(FileChange{.bytes = {}, .pieces = {}, .size = end})
                      : std::nullopt;
  });
}

Task<> punch_file(Core& core, FileId file, std::uint64_t offset, std::uint64_t end) {
  const GateHold gate = core.dirty->close_gate(file.ino);
  CO_TRYV(co_await flush_file(core, file.ino));
  co_return co_await change_file(
      core, file, [offset, end](const InodeRecord& record) -> std::optional<FileChange> {
        if (offset >= record.size) {
          return std::nullopt;
        }
        const Piece hole = make_hole(std::min(end, record.size) - offset);
        return FileChange{.bytes = {}, .pieces = {{offset, {hole}}}, .size = record.size};
      });
}

}  // namespace

Task<> resize_locked(
    Core& core, const Object& before, Object& object, Transaction& tx, std::uint64_t size) {
  if (size > kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  // Until the transaction is committed or given up nothing is written or read: what it cuts in
  // memory goes when it is committed.
  GateHold gate = core.dirty->close_gate(before.ino);
  InodeRecord& record = object.record;
  Pieces pieces = before.record.lists.pieces;
  if (size > kInlineMax) {
    CO_TRYV(co_await move_out(core, before.record, tx, pieces));
  }
  pieces = resize_pieces(pieces, size);
  if (size <= kInlineMax && data_bytes(pieces) == 0) {
    record.inline_data = before.record.inline_data;
    record.inline_data.resize(size);
    pieces.clear();
  } else {
    record.inline_data.clear();
  }
  record.lists.pieces = std::move(pieces);
  CO_TRYV(mark_content(core, object, size, stamp_now(core)));
  tx.truncate(std::move(gate), size);
  co_return ok();
}

Task<FileAttributes> allocate_file(Core& core,
                                   FileId file,
                                   std::uint64_t offset,
                                   std::uint64_t length) {
  CO_TRY(const std::uint64_t end, end_of(offset, length));
  CO_TRY(const FileState state, co_await look_at_file(core, file, offset, end));
  CO_TRYV(check_changeable(core, *state.inode.object));
  const std::uint64_t there =
      data_bytes(slice_pieces(state.record().lists.pieces, {offset, length}));
  if (core.config.space && length - there > core.config.space().free_bytes) {
    co_return fail(Errc::no_space);
  }
  if (const TallyPtr tally = core.tallies.find(file.root)) {
    CO_TRYV(tally->fits({static_cast<std::int64_t>(length - there), 0}));
  }
  if (end > state.size()) {
    const auto grow = [&] { return grow_file(core, file, end); };
    CO_TRYV(co_await change_bytes(core, file, grow));
  }
  co_return co_await current_attributes(core, file);
}

Task<FileAttributes> deallocate_file(Core& core,
                                     FileId file,
                                     std::uint64_t offset,
                                     std::uint64_t length) {
  CO_TRY(const std::uint64_t end, end_of(offset, length));
  CO_TRY(const FileState state, co_await look_at_file(core, file));
  CO_TRYV(check_changeable(core, *state.inode.object));
  const auto punch = [&] { return punch_file(core, file, offset, end); };
  CO_TRYV(co_await change_bytes(core, file, punch));
  co_return co_await current_attributes(core, file);
}

}  // namespace outcrop::ns
