// The file view: names that go.
#include "storage/ns/fs_remove.h"
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

struct RemoveOp {
  FileId directory;
  std::string_view name;
  RemoveKind kind;
  InodeId busy_marker = 0;
};

Result<void> check_kind(RemoveKind kind, const Entry& entry) {
  const bool directory = entry.dirent.type == InodeType::directory;
  if (kind == RemoveKind::file && directory) {
    return fail(Errc::is_directory);
  }
  return kind == RemoveKind::directory && !directory ? fail(Errc::not_directory) : ok();
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
    if (op.busy_marker != 0) {
      locks.add(inode_lock(op.busy_marker), LockMode::exclusive);
    }
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_slot(core, slot));
  if (!confirmed) {
    co_return std::nullopt;
  }
  const FileId id{op.directory.root, ino};
  Transaction tx(core);
  if (directory) {
    CO_TRY(const bool erased, co_await erase_empty_directory(core, tx, held, id, op.busy_marker));
    if (!erased) {
      co_return std::nullopt;
    }
    tx.batch.erase(dirent_key(op.directory.ino, slot.entry->name));
    CO_TRY(const std::string path, co_await path_of(core, id));
    tx.block_directory(id.root, path);
  } else {
    CO_TRY(ObjectPtr object, co_await load_inode(core, id));
    CO_TRY(const Leaving leaving,
           co_await plan_leaving(core, std::move(object), op.directory.ino, slot.entry->name));
    tx.batch.erase(dirent_key(op.directory.ino, slot.entry->name));
    tx.unlink(leaving);
  }
  CO_TRYV(co_await make_explicit(core, tx, id.root, slot.implicit));
  tx.touch(id.root, op.directory.ino);
  CO_TRYV(co_await tx.commit());
  co_return Removed{tx.change_of(op.directory.ino), id};
}

}  // namespace

Task<bool> erase_empty_directory(
    Core& core, Transaction& tx, LockTable::Held& held, FileId directory, InodeId& busy_marker) {
  CO_TRY(const meta::ScanPage page, co_await core.meta.scan({.lower = dirent_key(directory.ino, {}),
                                                             .upper = dirent_end(directory.ino),
                                                             .limit = 2}));
  for (const auto& [key, value] : page.entries) {
    if (!dirent_name(key).empty()) {
      co_return fail(Errc::not_empty);
    }
    CO_TRY(const DirentRecord marker, decode_dirent(value));
    if (!core.locks.try_extend(held, inode_lock(marker.ino), LockMode::exclusive)) {
      busy_marker = marker.ino;
      co_return false;
    }
    CO_TRY(ObjectPtr object, co_await load_object(core, marker.ino, directory.root));
    if (!object) {
      co_return fail(Errc::corrupt, "dirent without inode");
    }
    CO_TRY(const Leaving leaving,
           co_await plan_leaving(core, std::move(object), directory.ino, {}));
    tx.batch.erase(key);
    tx.unlink(leaving);
  }
  CO_TRY(ObjectPtr object, co_await load_inode(core, directory));
  const InodeRecord& record = object->record;
  CO_TRY(const Leaving leaving, co_await plan_leaving(core, object, record.parent, record.name));
  tx.leave(record.parent, leaving.cookie, record.name);
  tx.erase_inode(*object, leaving.xattrs);
  co_return true;
}

Task<Removed> remove_entry(Core& core, FileId directory, std::string_view name, RemoveKind kind) {
  RemoveOp op{.directory = directory, .name = name, .kind = kind};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto removed, co_await try_remove(core, op));
    if (removed) {
      co_return *removed;
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
