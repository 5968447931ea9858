// The file view: rename. A file moves under the locks of its two names; a directory moves with its
// bucket locked alone, as in op_rename.cpp, so that every path in the bucket stands still.
#include <algorithm>

#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/fs_remove.h"
#include "storage/ns/history.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

struct RenameOp {
  FileId from_directory, to_directory;
  std::string_view from_name, to_name;
  InodeId busy = 0;
  // In a bucket with versions: one number for what is replaced, then those for what moves.
  InodeId spare = 0;
  std::uint32_t spares = 0, spares_needed = 0;
};

struct Slots {
  Slot from, to;
  bool moves_directory() const { return from.entry->dirent.type == InodeType::directory; }
};

Task<Slots> plan(Core& core, const RenameOp& op) {
  Slots out;
  CO_TRY(out.from, co_await plan_slot(core, op.from_directory, op.from_name, true));
  if (!out.from.entry) {
    co_return fail(Errc::not_found);
  }
  CO_TRY(out.to, co_await plan_slot(core, op.to_directory, op.to_name, true));
  co_return out;
}

Task<Renamed> unchanged(Core& core, const RenameOp& op) {
  Renamed out;
  for (const bool from : {true, false}) {
    CO_TRY(const ObjectPtr object,
           co_await find_directory(core, from ? op.from_directory : op.to_directory));
    const std::uint64_t change = attributes_of(core, *object).change;
    (from ? out.from : out.to) = {change, change};
  }
  co_return out;
}

// Of both directories and those above them, each once.
Task<> make_both_explicit(Core& core, Transaction& tx, const Slots& slots) {
  const InodeId root = slots.from.directory.root;
  CO_TRYV(co_await make_explicit(core, tx, root, slots.from.implicit));
  std::vector<ImplicitDirectory> rest;
  std::ranges::copy_if(slots.to.implicit, std::back_inserter(rest), [&](const auto& d) {
    return std::ranges::find(slots.from.implicit, d) == slots.from.implicit.end();
  });
  co_return co_await make_explicit(core, tx, root, rest);
}

Task<Renamed> finish(Transaction& tx, const RenameOp& op) {
  tx.touch(op.from_directory.root, op.from_directory.ino);
  tx.touch(op.to_directory.root, op.to_directory.ino);
  CO_TRYV(co_await tx.commit());
  co_return Renamed{tx.change_of(op.from_directory.ino), tx.change_of(op.to_directory.ino)};
}

Result<void> check_types(const Slots& slots) {
  if (!slots.to.entry) {
    return ok();
  }
  const bool over_directory = slots.to.entry->dirent.type == InodeType::directory;
  return slots.moves_directory() == over_directory ? ok()
                                                   : Result<void>(fail(Errc::already_exists));
}

/// What a rename does to the histories of its two keys, in a bucket with versions.
struct RenameHistory {
  Renewal renewal;  ///< of the names that the file has now
  KeyHistory from, to;
};

// Empty: another inode must be locked first, or there are too few numbers.
Task<std::optional<RenameHistory>> plan_histories(Core& core,
                                                  LockTable::Held& held,
                                                  RenameOp& op,
                                                  const Slots& slots,
                                                  const Object& moved,
                                                  const ObjectPtr& replaced) {
  const InodeId root = op.from_directory.root;
  const Versioning versioning = core.versioned.of(root);
  RenameHistory out;
  if (versioning == Versioning::off || moved.record.type != InodeType::file) {
    co_return out;
  }
  InodeId busy = 0;
  CO_TRY(out.renewal, co_await plan_renewal(core, held, versioning, moved, busy,
                                            {op.from_directory.ino, slots.from.entry->name}));
  CO_TRY(out.to, co_await plan_history(core, held, root, versioning, op.to_directory.ino,
                                       slots.to.file_name(), replaced, busy));
  out.from = new_history(core, root, versioning, slots.from.entry->name);
  out.from.directory = op.from_directory.ino;
  CO_TRYV(co_await limit_to_keys(core, out.from));
  CO_TRYV(co_await limit_to_keys(core, out.to));
  out.renewal.stamp = out.to.stamp;
  op.spares_needed = 1 + renewal_inodes(moved);
  op.busy = busy != 0 ? busy : op.busy;
  co_return busy == 0 && op.spares_needed <= op.spares ? std::optional(std::move(out))
                                                       : std::nullopt;
}

// What was at the new name goes. A file that a symlink or special node replaces is no object of
// that key any more: it is deleted. False: another inode must be locked first.
Task<bool> leave_target(Core& core,
                        Transaction& tx,
                        LockTable::Held& held,
                        RenameOp& op,
                        const RenameHistory& history,
                        const Object& moved,
                        const Leaving& replaced) {
  if (moved.record.type != InodeType::file && replaced.object) {
    co_return co_await leave_key(core, tx, held,
                                 {.object = replaced.object,
                                  .directory = replaced.parent,
                                  .name = replaced.name,
                                  .spare = op.spare},
                                 op.busy);
  }
  supersede(core, tx, history.to, replaced, op.spare);
  co_return true;
}

void put_moved(Core& core,
               Transaction& tx,
               const RenameOp& op,
               const Slots& slots,
               const Leaving& leaving,
               const RenameHistory& history) {
  Object moved = *leaving.object;
  const std::int64_t now = core.clock.wall_ns();
  tx.batch.erase(dirent_key(leaving.parent, leaving.name));
  if (!history.renewal.names.empty()) {
    apply_renewal(core, tx, history.renewal, *leaving.object, moved, op.spare + 1);
    put_marker(tx, history.from, leaving.parent, now);
  }
  tx.move_name(leaving, moved, op.to_directory.ino, slots.to.file_name());
  moved.record.upload_id.clear();
  ensure_posix(moved.record);
  mark_changed(core, moved.record, now);
  tx.put_main(moved);
  const std::string summary = encode(dirent_of(moved.ino, moved.record));
  for (const KeyHistory& name : history.renewal.names) {
    if (name.directory != leaving.parent || name.name != leaving.name) {
      tx.batch.put(dirent_key(name.directory, name.name), summary);
    }
  }
  tx.batch.put(dirent_key(op.to_directory.ino, slots.to.file_name()), summary);
}

// Empty: the plan was outrun.
Task<std::optional<Renamed>> try_rename_file(Core& core, RenameOp& op, Slots slots) {
  LockPlan locks;
  lock_slot(locks, slots.from);
  lock_slot(locks, slots.to);
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool from_confirmed, co_await confirm_slot(core, slots.from));
  const bool expected = slots.to.entry.has_value();
  CO_TRY(const bool to_confirmed, co_await confirm_slot(core, slots.to));
  // What came to be at the new name meanwhile is not locked.
  if (!from_confirmed || !to_confirmed || expected != slots.to.entry.has_value()) {
    co_return std::nullopt;
  }
  const FileId id{op.from_directory.root, slots.from.entry->dirent.ino};
  CO_TRY(ObjectPtr object, co_await load_inode(core, id));
  CO_TRY(const Leaving leaving,
         co_await plan_leaving(core, std::move(object), op.from_directory.ino,
                               slots.from.entry->name));
  Leaving replaced;
  if (slots.to.entry) {
    CO_TRY(ObjectPtr there, co_await load_inode(core, {id.root, slots.to.entry->dirent.ino}));
    CO_TRY(replaced, co_await plan_leaving(core, std::move(there), op.to_directory.ino,
                                           slots.to.entry->name));
  }
  CO_TRY(const auto history,
         co_await plan_histories(core, held, op, slots, *leaving.object, replaced.object));
  if (!history) {
    co_return std::nullopt;
  }
  Transaction tx(core);
  CO_TRYV(co_await make_both_explicit(core, tx, slots));
  CO_TRY(const bool left,
         co_await leave_target(core, tx, held, op, *history, *leaving.object, replaced));
  if (!left) {
    co_return std::nullopt;
  }
  put_moved(core, tx, op, slots, leaving, *history);
  CO_TRY(const Renamed renamed, co_await finish(tx, op));
  co_return renamed;
}

// With the bucket locked alone.
Task<> check_not_below(Core& core, FileId directory, InodeId moved) {
  for (InodeId at = directory.ino; at != directory.root;) {
    if (at == moved) {
      co_return fail(Errc::invalid_argument, "a directory cannot move below itself");
    }
    CO_TRY(const FoundInode found, co_await find_inode(core, FileId{directory.root, at}));
    at = found.object->record.parent;
  }
  co_return ok();
}

// Versions of keys that were below the new name are not those of the keys that come there: the
// directory cannot take their place. As between file systems, clients copy instead.
Task<> check_no_history(Core& core, const RenameOp& op, const Slot& to) {
  if (core.versioned.of(op.to_directory.root) == Versioning::off) {
    co_return ok();
  }
  bool any = false;
  if (to.entry) {
    const InodeId there = to.entry->dirent.ino;
    CO_TRY(any, co_await has_history(core, there));
    CO_TRY(const auto marker, co_await get_dirent(core, there, {}));
    any = any || marker;
  } else {
    CO_TRY(const auto hidden,
           co_await find_history_directory(core, op.to_directory.ino, to.directory_name()));
    any = hidden.has_value();
  }
  co_return any ? Result<void>(fail(Errc::cross_bucket, "the name has versions")) : ok();
}

// Empty: the plan was outrun.
Task<std::optional<Renamed>> try_rename_directory(Core& core, RenameOp& op) {
  LockPlan locks;
  lock_bucket_exclusive(locks, op.from_directory.root);
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  // Nothing else changes in the bucket now: the plan is the truth.
  CO_TRY(const Slots slots, co_await plan(core, op));
  if (!slots.moves_directory()) {
    co_return std::nullopt;
  }
  CO_TRYV(check_types(slots));
  const FileId id{op.from_directory.root, slots.from.entry->dirent.ino};
  CO_TRYV(co_await check_not_below(core, op.to_directory, id.ino));
  if (slots.to.entry && slots.to.entry->dirent.ino == id.ino) {
    CO_TRY(const Renamed same, co_await unchanged(core, op));
    co_return same;
  }
  CO_TRY(const bool stays, co_await keeps_keys(core, id.root, id.ino));
  if (stays) {
    co_return fail(Errc::cross_bucket, "keys of a bucket with Object Lock stay where they are");
  }
  Transaction tx(core);
  tx.block_generation(id.root);
  if (slots.to.entry) {
    const FileId replaced{id.root, slots.to.entry->dirent.ino};
    CO_TRY(const bool erased,
           co_await erase_empty_directory(core, tx, held, replaced, op.spare, op.busy));
    if (!erased) {
      co_return std::nullopt;
    }
  }
  CO_TRYV(co_await check_no_history(core, op, slots.to));
  CO_TRYV(co_await make_both_explicit(core, tx, slots));
  CO_TRY(const ObjectPtr object, co_await load_inode(core, id));
  tx.leave(op.from_directory.ino, cookie_of(id.ino, object->record.moves), slots.from.entry->name);
  tx.batch.erase(dirent_key(op.from_directory.ino, slots.from.entry->name));
  Object moved = *object;
  moved.record.parent = op.to_directory.ino;
  moved.record.name = slots.to.directory_name();
  ++moved.record.moves;
  ensure_posix(moved.record);
  tx.put_main(moved);
  tx.batch.put(dirent_key(moved.record.parent, moved.record.name),
               encode(DirentRecord{.ino = id.ino, .type = InodeType::directory}));
  CO_TRY(const Renamed renamed, co_await finish(tx, op));
  core.times.change(id.root, id.ino, moved.record, core.clock.wall_ns());
  co_return renamed;
}

// Numbers for versions, and what becomes one is stored.
Task<> prepare_history(Core& core, RenameOp& op) {
  if (core.versioned.of(op.from_directory.root) == Versioning::off) {
    co_return ok();
  }
  constexpr std::uint32_t kUsually = 2;
  const std::uint32_t needed = std::max(op.spares_needed, kUsually);
  if (needed > op.spares) {
    CO_TRY(op.spare, co_await core.inodes.allocate(needed));
    op.spares = needed;
  }
  CO_TRYV(co_await flush_entry(core, op.from_directory, op.from_name));
  co_return co_await flush_entry(core, op.to_directory, op.to_name);
}

}  // namespace

Task<Renamed> rename_entry(Core& core,
                           FileId from_directory,
                           std::string_view from_name,
                           FileId to_directory,
                           std::string_view to_name) {
  if (from_directory.root != to_directory.root) {
    co_return fail(Errc::cross_bucket);
  }
  CO_TRYV(check_name(from_name));
  CO_TRYV(check_new_name(to_name));
  RenameOp op{from_directory, to_directory, from_name, to_name};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRYV(co_await prepare_history(core, op));
    CO_TRY(Slots slots, co_await plan(core, op));
    std::optional<Renamed> renamed;
    if (slots.moves_directory()) {
      CO_TRY(renamed, co_await try_rename_directory(core, op));
    } else {
      CO_TRYV(check_types(slots));
      if (slots.to.entry && slots.to.entry->dirent.ino == slots.from.entry->dirent.ino) {
        co_return co_await unchanged(core, op);
      }
      CO_TRY(renamed, co_await try_rename_file(core, op, std::move(slots)));
    }
    if (renamed) {
      co_return *renamed;
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
