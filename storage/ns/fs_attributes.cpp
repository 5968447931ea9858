// The file view: finding inodes, and their attributes.
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

constexpr std::uint32_t kModeMask = 07777;

struct SetOp {
  FileId id;
  SetAttributes set;
  std::optional<std::int64_t> guard_ctime_ns;
};

void apply(const SetAttributes& set, InodeRecord& record) {
  PosixAttributes& posix = ensure_posix(record);
  posix.mode = set.mode.value_or(posix.mode) & kModeMask;
  posix.uid = set.uid.value_or(posix.uid);
  posix.gid = set.gid.value_or(posix.gid);
  posix.atime_ns = set.atime_ns.value_or(posix.atime_ns);
}

Task<FileAttributes> set_on_directory(Core& core,
                                      const SetOp& op,
                                      Object object,
                                      const std::vector<ImplicitDirectory>& implicit) {
  const DirectoryState state = core.times.get(op.id.ino, object.record);
  const std::int64_t mtime = op.set.mtime_ns.value_or(state.mtime_ns);
  apply(op.set, object.record);
  object.record.mtime_ns = mtime;
  object.record.posix->ctime_ns = std::max(core.clock.wall_ns(), state.ctime_ns + 1);
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, op.id.root, implicit, op.id.ino));
  tx.put_main(object);
  CO_TRYV(co_await tx.commit());
  if (op.set.mtime_ns) {
    core.times.set(op.id.root, op.id.ino, mtime, object.record.posix->ctime_ns);
  } else {
    core.times.change(op.id.root, op.id.ino, object.record, object.record.posix->ctime_ns);
  }
  co_return attributes_of(core, object);
}

Task<FileAttributes> set_on_file(Core& core, const SetOp& op, const Object& before) {
  Object object = before;
  apply(op.set, object.record);
  Transaction tx(core);
  const std::int64_t now = core.clock.wall_ns();
  mark_changed(core, object.record, now);
  // The size that it has: no byte changes, and what S3 knows of the content stays true.
  const bool resizes =
      op.set.size && (*op.set.size != before.record.size || core.dirty->view(before.ino).dirty);
  if (resizes) {
    CO_TRYV(check_changeable(core, before));
    CO_TRYV(co_await resize_locked(core, before, object, tx, *op.set.size));
  }
  if (op.set.mtime_ns || (op.set.size && !resizes)) {
    object.record.mtime_ns = op.set.mtime_ns.value_or(now);
    ensure_posix(object.record).mtime_ns.reset();
  }
  if (resizes) {
    tx.rewrite_object(before, object);
  } else {
    tx.put_main(object);
  }
  if (object.record.type == InodeType::file && (op.set.size || op.set.mtime_ns)) {
    CO_TRYV(co_await put_summaries(core, tx, object));
  }
  CO_TRYV(co_await tx.commit());
  if (const DirtyFilePtr file = resizes ? core.dirty->find(object.ino) : nullptr) {
    file->stamp(object.record.mtime_ns, now);  // while the transaction keeps its gate closed
  }
  co_return attributes_of(core, object);
}

Result<void> check_set(const SetOp& op, InodeType type) {
  if (!op.set.size) {
    return ok();
  }
  if (type == InodeType::directory) {
    return fail(Errc::is_directory);
  }
  if (is_bare(type)) {
    return fail(Errc::invalid_argument, "size of what has no data");
  }
  return *op.set.size > kMaxObjectBytes ? fail(Errc::entity_too_large) : ok();
}

// In a bucket with versions, before the size changes. What is refused, or changes no byte, makes no
// version. Somebody may change the file behind this look: see cuts_unkept.
Task<> begin_resize(Core& core, const SetOp& op) {
  CO_TRY(const FileAttributes now, co_await current_attributes(core, op.id));
  if (now.type != FileType::regular || *op.set.size > kMaxObjectBytes) {
    co_return ok();  // refused later, before the guard is looked at
  }
  if (op.guard_ctime_ns && now.ctime_ns != *op.guard_ctime_ns) {
    co_return fail(Errc::precondition_failed);
  }
  if (now.size == *op.set.size) {
    co_return ok();
  }
  co_return now.fixed ? fail_fixed() : co_await begin_version(core, op.id);
}

// Another size than begin_resize saw, of a session that has ended meanwhile: what it left is in no
// version yet. A session that goes on has one, of what was before it. Under the inode's lock.
bool cuts_unkept(Core& core, const SetOp& op, const Object& object) {
  return op.set.size && object.record.type == InodeType::file && needs_version(core, op.id) &&
         attributes_of(core, object).size != *op.set.size &&
         !core.holds->continue_session(op.id.ino, core.clock.steady_ns());
}

// Empty: the plan was outrun.
Task<std::optional<FileAttributes>> try_set(Core& core, const SetOp& op) {
  CO_TRY(const FoundInode found, co_await find_inode(core, op.id));
  const InodeType type = found.object->record.type;
  CO_TRYV(check_set(op, type));
  std::vector<ImplicitDirectory> implicit;
  LockPlan locks;
  lock_bucket_shared(locks, op.id.root);
  locks.add(inode_lock(op.id.ino), LockMode::exclusive);
  if (type == InodeType::directory) {
    locks.add(dir_lock(op.id.ino), LockMode::shared);
    CO_TRY(implicit, co_await find_implicit(core, op.id));
    lock_implicit(locks, implicit);
  }
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const ObjectPtr object, co_await load_inode(core, op.id));
  if (type == InodeType::directory) {
    CO_TRY(const auto now, co_await find_implicit(core, op.id));
    if (now != implicit) {
      co_return std::nullopt;
    }
  }
  if (op.guard_ctime_ns && attributes_of(core, *object).ctime_ns != *op.guard_ctime_ns) {
    co_return fail(Errc::precondition_failed);
  }
  if (op.set.empty()) {
    co_return attributes_of(core, *object);
  }
  if (cuts_unkept(core, op, *object)) {
    co_return std::nullopt;
  }
  FileAttributes out;
  if (type == InodeType::directory) {
    CO_TRY(out, co_await set_on_directory(core, op, *object, implicit));
  } else {
    CO_TRY(out, co_await set_on_file(core, op, *object));
  }
  co_return out;
}

}  // namespace

Task<FileAttributes> bucket_root(Core& core, std::string_view bucket) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  CO_TRY(const FoundInode found, co_await find_inode(core, FileId{record.root, record.root}));
  co_return attributes_of(core, *found.object);
}

Task<FileAttributes> resolve_path(Core& core, std::string_view bucket, std::string_view path) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  std::string directory(path);
  if (!directory.empty() && !directory.ends_with('/')) {
    directory.push_back('/');
  }
  CO_TRY(const ResolvedDir dir, co_await resolve_dir(core, record.root, directory));
  if (dir.found != directory.size()) {
    co_return fail(Errc::not_found);
  }
  CO_TRY(const FoundInode found, co_await find_inode(core, FileId{record.root, dir.dir.ino}));
  co_return attributes_of(core, *found.object);
}

Task<FileAttributes> get_file_attributes(Core& core, FileId file) {
  return current_attributes(core, file);
}

Task<FileAttributes> set_file_attributes(Core& core,
                                         FileId file,
                                         SetAttributes set,
                                         std::optional<std::int64_t> guard_ctime_ns) {
  if (set.mtime_ns) {
    // What was written before has its time before this.
    CO_TRYV(co_await flush_file(core, file.ino));
  }
  const SetOp op{file, set, guard_ctime_ns};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (set.size && needs_version(core, file)) {
      CO_TRYV(co_await begin_resize(core, op));
    }
    CO_TRY(const auto done, co_await try_set(core, op));
    if (done) {
      co_return *done;
    }
  }
  co_return outrun();
}

Task<FileAttributes> lookup_entry(Core& core, FileId directory, std::string_view name) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRYV(co_await find_directory(core, directory));
    CO_TRY(const auto entry, co_await find_entry(core, directory.ino, name));
    if (!entry) {
      co_return fail(Errc::not_found);
    }
    const auto found = co_await current_attributes(core, {directory.root, entry->dirent.ino});
    if (found ? found->links > 0 : found.error().code() != Errc::stale) {
      co_return found;
    }
    // Removed or replaced between the two reads.
  }
  co_return fail(Errc::overloaded, "the name changes faster than it can be looked up");
}

Task<FileAttributes> parent_directory(Core& core, FileId directory) {
  CO_TRY(const ObjectPtr object, co_await find_directory(core, directory));
  if (directory.ino == directory.root) {
    co_return attributes_of(core, *object);
  }
  CO_TRY(const FoundInode found,
         co_await find_inode(core, FileId{directory.root, object->record.parent}));
  co_return attributes_of(core, *found.object);
}

Task<std::string> read_symlink(Core& core, FileId file) {
  CO_TRY(const FoundInode found, co_await find_inode(core, file));
  if (found.object->record.type != InodeType::symlink) {
    co_return fail(Errc::invalid_argument, "not a symlink");
  }
  co_return found.object->record.target;
}

}  // namespace outcrop::ns
