// Rename: one dirent moves, whatever is below it. A file replaces what is at its new name and
// keeps its inode; a directory moves only to a name that is free, with its bucket locked alone.
#include "storage/ns/conditions.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct RenameOp {
  std::string_view bucket, from, to;
  ExpectedTags expected;
  InodeId first = 0;   ///< inodes_needed() numbers: for new directories, for what is replaced
  InodeId copies = 0;  ///< the first of `copy_count`, for versions of what moves
  std::uint32_t copy_count = 0;
  // What the last attempt found that the next one must have, or must lock.
  std::uint32_t copies_needed = 0;
  std::size_t exclusive = 0;
  InodeId busy_source = 0, busy_target = 0;
};

// In a bucket with versions: what moves is a new version of its new key, and of its other names; of
// the key that it leaves it stays a version, below a delete marker.
void install_moved(Core& core,
                   Transaction& tx,
                   const RenameOp& op,
                   const Source& source,
                   const Target& target,
                   const Renewal& renewal) {
  Object moved = *source.object;
  const std::int64_t now = core.clock.wall_ns();
  apply_renewal(core, tx, renewal, *source.object, moved, op.copies);
  const InodeId parent = install_directories(tx, target, op.first, true, now);
  supersede(core, tx, target.history, target.existing, spare_inode(op.to, op.first));
  if (source.versioned()) {
    put_marker(tx, source.history, source.parent(), now);
  }
  tx.move_name(source.leaving, moved, parent, target.path.name);
  moved.record.upload_id.clear();
  ensure_posix(moved.record);  // its ctime moves, its mtime does not
  mark_changed(core, moved.record, now);
  tx.put_main(moved);
  const std::string summary = encode(dirent_of(moved.ino, moved.record));
  for (const KeyHistory& name : renewal.names) {
    if (name.directory != source.parent() || name.name != source.path.name) {
      tx.batch.put(dirent_key(name.directory, name.name), summary);
    }
  }
  tx.batch.put(dirent_key(parent, target.path.name), summary);
}

std::string id_in(const Source& source, const VersionStamp& stamp) {
  return source.versioned() ? version_text(stamp) : std::string();
}

// The version id; empty: the plan was outrun, or more must be locked.
Task<std::optional<std::string>> try_rename(Core& core, RenameOp& op) {
  CO_TRY(Source source, co_await plan_source(core, op.bucket, op.from));
  source.exclusive = op.exclusive;
  source.busy = op.busy_source;
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.to));
  target.busy = op.busy_target;
  if (!source.reachable) {
    co_return fail(Errc::no_such_key);
  }
  LockPlan locks;
  lock_source(locks, source);
  lock_target(locks, target);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool source_confirmed,
         co_await confirm_source(core, source, held, LockMode::exclusive));
  CO_TRY(const bool target_confirmed, co_await confirm_target(core, target, held));
  if (!source_confirmed || !target_confirmed) {
    op.busy_source = source.busy;
    op.busy_target = target.busy;
    co_return std::nullopt;
  }
  if (!source.object) {
    co_return fail(Errc::no_such_key);
  }
  CO_TRYV(check_tags(op.expected, *source.object));
  if (op.from == op.to) {
    co_return id_in(source, source.object->record.version);
  }
  Renewal renewal;
  if (source.versioned()) {
    InodeId busy = 0;
    CO_TRY(renewal, co_await plan_renewal(core, held, source.bucket.versioning, *source.object,
                                          busy, {source.parent(), source.path.name}));
    renewal.stamp = target.history.stamp;
    op.copies_needed = renewal_inodes(*source.object);
    op.busy_source = busy != 0 ? busy : op.busy_source;
    if (busy != 0 || op.copies_needed > op.copy_count) {
      co_return std::nullopt;
    }
  }
  CO_TRY(const auto pruned, co_await plan_prune(core, source, op.to, source.versioned()));
  if (!pruned) {
    op.exclusive = source.exclusive;
    co_return std::nullopt;
  }
  Transaction tx(core);
  detach(tx, source, *pruned);
  tx.block_name(target.bucket.root, op.to);
  const ObjectPtr replaced = target.object();
  std::string id;
  if (replaced && replaced->ino == source.object->ino) {
    // Two names of one file: the one that it moves to is there.
    id = id_in(source, replaced->record.version);
    supersede(core, tx, source.history, source.leaving, op.copies);
    if (source.versioned()) {
      put_marker(tx, source.history, source.parent(), core.clock.wall_ns());
    }
  } else {
    install_moved(core, tx, op, source, target, renewal);
    id = id_in(source, renewal.stamp);
  }
  CO_TRYV(co_await tx.commit());
  co_return id;
}

// Under the bucket's exclusive lock, where nothing else moves: the ancestors of the destination
// that exist and are implicit become explicit, for an explicit directory comes to lie below them.
Task<> make_explicit(Core& core, Transaction& tx, const Target& target) {
  const std::string_view existing = target.path.directory.substr(0, target.parent.found);
  CO_TRY(const auto chain, co_await resolve_chain(core, target.bucket.root, existing));
  InodeId parent = target.bucket.root;
  std::string_view rest = existing;
  for (const DirEntry& dir : chain) {
    const std::string_view name = first_component(rest);
    if (dir.implicit) {
      tx.batch.put(dirent_key(parent, name),
                   encode(DirentRecord{.ino = dir.ino, .type = InodeType::directory}));
    }
    parent = dir.ino;
    rest.remove_prefix(name.size());
  }
  co_return ok();
}

// A directory "x/y/" is the dirent "y/" in "x/": seen as a key whose name is "y/".
KeyPath split_directory(std::string_view path) { return {parent_path(path), last_component(path)}; }

Task<> move_directory(Core& core, Source& source, Target& target, InodeId first) {
  CO_TRY(const auto moved_dirent, co_await get_dirent(core, source.parent(), source.path.name));
  if (!moved_dirent) {
    co_return fail(Errc::no_such_key);
  }
  CO_TRY(const bool stays, co_await keeps_keys(core, source.bucket.root, moved_dirent->ino));
  if (stays) {
    co_return fail(Errc::object_locked, "keys of a bucket with Object Lock stay where they are");
  }
  CO_TRYV(co_await find_hidden(core, target, nullptr));
  if (target.missing().empty()) {
    CO_TRY(const auto taken, co_await get_dirent(core, target.parent.dir.ino, target.path.name));
    if (taken) {
      co_return fail(Errc::already_exists);
    }
  }
  // Versions of keys that were below this name are not those of the keys that come.
  if (const InodeId above = target.history_directory(); above != 0 && target.versioned()) {
    CO_TRY(const auto taken, co_await find_history_directory(core, above, target.path.name));
    if (taken) {
      co_return fail(Errc::already_exists, "the name has versions");
    }
  }
  CO_TRY(const ObjectPtr inode, co_await load_object(core, moved_dirent->ino, source.bucket.root));
  if (!inode) {
    co_return fail(Errc::corrupt, "dirent without inode");
  }
  source.exclusive = source.chain.size();  // all of them: the bucket is locked
  CO_TRY(const auto pruned, co_await plan_prune(core, source, target.key));
  OUTCROP_ASSERT(pruned.has_value());
  Transaction tx(core);
  tx.block_generation(source.bucket.root);
  tx.leave(source.parent(), cookie_of(inode->ino, inode->record.moves), source.path.name);
  detach(tx, source, *pruned);
  if (!moved_dirent->implicit) {
    CO_TRYV(co_await make_explicit(core, tx, target));
  }
  Object moved = *inode;
  moved.record.parent =
      install_directories(tx, target, first, moved_dirent->implicit, core.clock.wall_ns());
  moved.record.name = target.path.name;
  ++moved.record.moves;
  tx.put_main(moved);
  tx.batch.put(dirent_key(moved.record.parent, moved.record.name), encode(*moved_dirent));
  CO_TRYV(co_await tx.commit());
  // File clients that have it cached see that it hangs elsewhere now.
  core.times.change(source.bucket.root, inode->ino, moved.record, core.clock.wall_ns());
  co_return ok();
}

}  // namespace

Task<std::string> rename_object(Core& core,
                                std::string_view bucket,
                                std::string_view from,
                                std::string_view to,
                                ExpectedTags expected) {
  CO_TRYV(check_key(from));
  CO_TRYV(check_key(to));
  CO_TRY(const InodeId first, co_await core.inodes.allocate(inodes_needed(to)));
  RenameOp op{
      .bucket = bucket, .from = from, .to = to, .expected = std::move(expected), .first = first};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (op.copies_needed > op.copy_count) {
      CO_TRY(op.copies, co_await core.inodes.allocate(op.copies_needed));
      op.copy_count = op.copies_needed;
    }
    CO_TRY(auto done, co_await try_rename(core, op));
    if (done) {
      co_return *std::move(done);
    }
  }
  co_return outrun();
}

Task<> rename_directory(Core& core,
                        std::string_view bucket,
                        std::string_view from,
                        std::string_view to) {
  CO_TRYV(check_key(from));
  CO_TRYV(check_key(to));
  if (to.starts_with(from) && to != from) {
    co_return fail(Errc::invalid_argument, "a directory cannot move below itself");
  }
  CO_TRY(const InodeId first, co_await core.inodes.allocate(inodes_needed(to)));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
    LockPlan locks;
    lock_bucket_exclusive(locks, record.root);
    CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
    // No writer of the bucket is active now: what is read here stays.
    CO_TRY(Source source, co_await plan_source(core, bucket, parent_path(from)));
    CO_TRY(Target target, co_await plan_target(core, bucket, parent_path(to)));
    if (source.bucket.root != record.root || target.bucket.root != record.root) {
      continue;
    }
    source.key = from;
    source.path = split_directory(from);
    target.key = to;
    target.path = split_directory(to);
    if (!source.reachable) {
      co_return fail(Errc::no_such_key);
    }
    if (from == to) {
      CO_TRY(const auto dirent, co_await get_dirent(core, source.parent(), source.path.name));
      co_return dirent ? ok() : Result<void>(fail(Errc::no_such_key));
    }
    co_return co_await move_directory(core, source, target, first);
  }
  co_return outrun();
}

}  // namespace outcrop::ns
