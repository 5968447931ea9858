// The file view: names that go.
#include "storage/ns/fs_remove.h"

#include <algorithm>

#include "storage/ns/fs_data.h"
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/history.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

struct RemoveOp {
  FileId directory;
  std::string_view name;
  RemoveKind kind;
  InodeId busy = 0;
  InodeId spare = 0;  ///< for a version
};

Result<void> check_kind(RemoveKind kind, const Entry& entry) {
  const bool directory = entry.dirent.type == InodeType::directory;
  if (kind == RemoveKind::file && directory) {
    return fail(Errc::is_directory);
  }
  return kind == RemoveKind::directory && !directory ? fail(Errc::not_directory) : ok();
}

// In a bucket with versions the file stays as one, below a delete marker. False: another inode must
// be locked first.
Task<bool> remove_file(
    Core& core, Transaction& tx, LockTable::Held& held, RemoveOp& op, const Slot& slot) {
  const InodeId root = op.directory.root;
  CO_TRY(ObjectPtr object, co_await load_inode(core, {root, slot.entry->dirent.ino}));
  CO_TRY(const bool removed, co_await leave_key(core, tx, held,
                                                {.object = std::move(object),
                                                 .directory = op.directory.ino,
                                                 .name = slot.entry->name,
                                                 .spare = op.spare},
                                                op.busy));
  tx.batch.erase(dirent_key(op.directory.ino, slot.entry->name));
  co_return removed;
}

// Empty: the plan was outrun.
Task<std::optional<Removed>> try_remove(Core& core, RemoveOp& op) {
  CO_TRY(Slot slot, co_await plan_slot(core, op.directory, op.name, true));
  if (!slot.entry) {
    co_return fail(Errc::not_found);
  }
  CO_TRYV(check_kind(op.kind, *slot.entry));
  const InodeId ino = slot.entry->dirent.ino;
  const bool directory = slot.entry->dirent.type == InodeType::directory;
  LockPlan locks;
  lock_slot(locks, slot);
  if (directory) {
    locks.add(dir_lock(ino), LockMode::exclusive);
    locks.add(dirent_lock(ino, {}), LockMode::exclusive);
  }
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_slot(core, slot));
  if (!confirmed) {
    co_return std::nullopt;
  }
  const FileId id{op.directory.root, ino};
  Transaction tx(core);
  tx.allow_growth();  // of what is open, a version is made
  if (directory) {
    CO_TRY(const bool erased,
           co_await erase_empty_directory(core, tx, held, id, op.spare, op.busy));
    if (!erased) {
      co_return std::nullopt;
    }
    tx.batch.erase(dirent_key(op.directory.ino, slot.entry->name));
    CO_TRY(const std::string path, co_await path_of(core, id));
    tx.block_directory(id.root, path);
  } else {
    CO_TRY(const bool removed, co_await remove_file(core, tx, held, op, slot));
    if (!removed) {
      co_return std::nullopt;
    }
  }
  CO_TRYV(co_await make_explicit(core, tx, id.root, slot.implicit));
  tx.touch(id.root, op.directory.ino);
  CO_TRYV(co_await tx.commit());
  co_return Removed{tx.change_of(op.directory.ino), id};
}

}  // namespace

Task<bool> leave_key(
    Core& core, Transaction& tx, LockTable::Held& held, LeavingKey key, InodeId& busy) {
  const InodeId root = key.object->root;
  const Versioning versioning =
      key.object->record.type == InodeType::file ? core.versioned.of(root) : Versioning::off;
  if (versioning == Versioning::off) {
    CO_TRY(const Leaving leaving,
           co_await plan_leaving(core, std::move(key.object), key.directory, key.name));
    tx.unlink(leaving);
    co_return true;
  }
  if (key.spare == 0) {
    co_return false;  // enabled just now
  }
  InodeId needed = 0;
  CO_TRY(KeyHistory history, co_await plan_history(core, held, root, versioning, key.directory,
                                                   key.name, key.object, needed));
  if (needed != 0) {
    busy = needed;
    co_return false;
  }
  CO_TRYV(co_await limit_to_keys(core, history));
  CO_TRY(const Leaving leaving,
         co_await plan_leaving(core, std::move(key.object), key.directory, key.name));
  supersede(core, tx, history, leaving, key.spare);
  put_marker(tx, history, key.directory, core.clock.wall_ns());
  co_return true;
}

Task<bool> erase_empty_directory(Core& core,
                                 Transaction& tx,
                                 LockTable::Held& held,
                                 FileId directory,
                                 InodeId spare,
                                 InodeId& busy) {
  bool history = false;
  if (core.versioned.of(directory.root) != Versioning::off) {
    CO_TRY(history, co_await has_history(core, directory.ino));
  }
  CO_TRY(const meta::ScanPage page, co_await core.meta.scan({.lower = dirent_key(directory.ino, {}),
                                                             .upper = dirent_end(directory.ino),
                                                             .limit = 2}));
  for (const auto& [key, value] : page.entries) {
    if (!dirent_name(key).empty()) {
      co_return fail(Errc::not_empty);
    }
    CO_TRY(const DirentRecord marker, decode_dirent(value));
    if (!core.locks.try_extend(held, inode_lock(marker.ino), LockMode::exclusive)) {
      busy = marker.ino;
      co_return false;
    }
    CO_TRY(ObjectPtr object, co_await load_object(core, marker.ino, directory.root));
    if (!object) {
      co_return fail(Errc::corrupt, "dirent without inode");
    }
    tx.batch.erase(key);
    CO_TRY(
        const bool left,
        co_await leave_key(core, tx, held,
                           {.object = object, .directory = directory.ino, .spare = spare}, busy));
    if (!left) {
      co_return false;
    }
    const std::string own = version_prefix(directory.ino, {});
    history |= std::ranges::any_of(tx.batch.mutations,
                                   [&](const meta::Mutation& m) { return m.key.starts_with(own); });
  }
  CO_TRY(ObjectPtr object, co_await load_inode(core, directory));
  const InodeRecord& record = object->record;
  CO_TRY(const Leaving leaving, co_await plan_leaving(core, object, record.parent, record.name));
  if (history) {
    tx.erase_xattrs(*object, leaving.xattrs);
    hide_directory(tx, *object);
    co_return true;
  }
  tx.leave(record.parent, leaving.cookie, record.name);
  tx.erase_inode(*object, leaving.xattrs);
  co_return true;
}

Task<> flush_entry(Core& core, FileId directory, std::string_view name) {
  if (core.dirty->any()) {
    CO_TRY(const auto entry, co_await find_entry(core, directory.ino, name));
    if (entry && entry->dirent.type == InodeType::file) {
      CO_TRYV(co_await flush_file(core, entry->dirent.ino));
    }
  }
  co_return ok();
}

Task<Removed> remove_entry(Core& core, FileId directory, std::string_view name, RemoveKind kind) {
  RemoveOp op{.directory = directory, .name = name, .kind = kind};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (core.versioned.of(directory.root) != Versioning::off) {
      if (op.spare == 0) {
        CO_TRY(op.spare, co_await core.inodes.allocate());
      }
      CO_TRYV(co_await flush_entry(core, directory, name));
    }
    CO_TRY(const auto removed, co_await try_remove(core, op));
    if (removed) {
      co_return *removed;
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
