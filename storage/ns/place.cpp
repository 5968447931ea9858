#include "storage/ns/place.h"

#include <algorithm>

#include "storage/ns/fs_data.h"

namespace outcrop::ns {
namespace {

std::string_view directory_name(const Source& source, std::size_t i) {
  std::string_view path = source.path.directory;
  for (; i > 0; --i) {
    path.remove_prefix(first_component(path).size());
  }
  return first_component(path);
}

std::string_view directory_path(const Source& source, std::size_t i) {
  const std::string_view name = directory_name(source, i);
  return source.path.directory.substr(
      0, static_cast<std::size_t>(name.data() + name.size() - source.path.directory.data()));
}

// Whether `dir` has at least `need` children besides `name`. Looks behind `name` first: mass
// deletes go in key order, and from the front a scan would wade through their tombstones.
Task<bool> has_others(Core& core, InodeId dir, std::string_view name, std::size_t need) {
  const std::string own = dirent_key(dir, name);
  CO_TRY(const auto after,
         co_await core.meta.scan(
             {.lower = own + '\0', .upper = dirent_end(dir), .limit = need, .keys_only = true}));
  if (after.entries.size() >= need) {
    co_return true;
  }
  CO_TRY(const auto before, co_await core.meta.scan({.lower = dirent_key(dir, {}),
                                                     .upper = own,
                                                     .limit = need - after.entries.size(),
                                                     .keys_only = true}));
  co_return after.entries.size() + before.entries.size() >= need;
}

// How many directories, from the innermost, would be left empty as far as can be seen without
// locks: locking them all at once saves a round per level.
Task<std::size_t> look_ahead(Core& core, const Source& source, std::size_t at_least) {
  std::size_t n = at_least;
  for (; n < source.chain.size(); ++n) {
    const std::size_t i = source.chain.size() - 1 - n;
    if (!source.chain[i].implicit) {
      break;
    }
    const std::string_view child = directory_name(source, i + 1);
    CO_TRY(const bool others, co_await has_others(core, source.chain[i].ino, child, 1));
    if (others) {
      break;
    }
  }
  co_return n;
}

// In a bucket with versions. False: another inode must be locked first.
Task<bool> plan_key(Core& core, Target& target, LockTable::Held& held) {
  const InodeId directory = target.history_directory();
  if (directory == 0) {
    target.history =
        new_history(core, target.bucket.root, target.bucket.versioning, target.path.name);
    co_return true;
  }
  InodeId busy = 0;
  CO_TRY(target.history,
         co_await plan_history(core, held, target.bucket.root, target.bucket.versioning, directory,
                               target.path.name, target.existing.object, busy));
  target.busy = busy != 0 ? busy : target.busy;
  co_return busy == 0;
}

Task<bool> plan_key(Core& core, Source& source, LockTable::Held& held) {
  InodeId busy = 0;
  CO_TRY(source.history,
         co_await plan_history(core, held, source.bucket.root, source.bucket.versioning,
                               source.parent(), source.path.name, source.object, busy));
  source.busy = busy != 0 ? busy : source.busy;
  co_return busy == 0;
}

}  // namespace

Result<void> check_key(std::string_view key) {
  if (key.empty()) {
    return fail(Errc::invalid_argument, "empty key");
  }
  return key.size() > kMaxKeyBytes ? fail(Errc::key_too_long) : ok();
}

InodeId Target::history_directory() const {
  if (missing().empty()) {
    return parent.dir.ino;
  }
  const auto wanted = static_cast<std::size_t>(std::ranges::count(missing(), '/'));
  return hidden.size() == wanted ? hidden.back()->ino : 0;
}

Task<Target> plan_target(Core& core, std::string_view bucket, std::string_view key) {
  Target t{.bucket_name = bucket, .key = key, .path = split_key(key)};
  CO_TRY(t.bucket, co_await find_bucket(core, bucket));
  if (t.versioned()) {
    // What becomes a version is what file clients have written.
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  CO_TRY(t.parent, co_await resolve_dir(core, t.bucket.root, t.path.directory));
  co_return t;
}

void lock_target(LockPlan& plan, const Target& target) {
  const InodeId dir = target.parent.dir.ino;
  lock_bucket_shared(plan, target.bucket.root);
  if (target.parent.found > 0) {
    plan.add(dir_lock(dir), LockMode::shared);
  }
  // With directories missing, the first of them: nobody else can reach what is below it.
  const std::string_view name =
      target.missing().empty() ? target.path.name : first_component(target.missing());
  plan.add(dirent_lock(dir, name), LockMode::exclusive);
  if (target.busy != 0) {
    plan.add(inode_lock(target.busy), LockMode::exclusive);
  }
}

Task<bool> find_hidden(Core& core, Target& target, LockTable::Held* held) {
  target.hidden.clear();
  InodeId parent = target.parent.dir.ino;
  for (std::string_view rest = target.versioned() ? target.missing() : ""; !rest.empty();) {
    const std::string_view name = first_component(rest);
    CO_TRY(const auto ino, co_await find_history_directory(core, parent, name));
    if (!ino) {
      break;
    }
    if (held != nullptr && !core.locks.try_extend(*held, inode_lock(*ino), LockMode::exclusive)) {
      target.busy = *ino;
      co_return false;
    }
    CO_TRY(const ObjectPtr object, co_await load_object(core, *ino, target.bucket.root));
    if (!object) {
      co_return fail(Errc::corrupt, "history directory without inode");
    }
    target.hidden.push_back(object);
    parent = *ino;
    rest.remove_prefix(name.size());
  }
  co_return true;
}

Task<bool> confirm_target(Core& core, Target& target, LockTable::Held& held) {
  const auto bucket = co_await find_bucket(core, target.bucket_name);
  if (!bucket || bucket->root != target.bucket.root) {
    co_return false;
  }
  target.bucket = *bucket;
  CO_TRY(const ResolvedDir now,
         co_await resolve_dir(core, target.bucket.root, target.path.directory));
  if (now.found != target.parent.found || now.dir.ino != target.parent.dir.ino) {
    co_return false;
  }
  target.existing = {};
  if (!target.missing().empty()) {
    if (!target.versioned()) {
      co_return true;
    }
    CO_TRY(const bool locked, co_await find_hidden(core, target, &held));
    if (!locked) {
      co_return false;
    }
    co_return co_await plan_key(core, target, held);
  }
  CO_TRY(const auto dirent, co_await get_dirent(core, now.dir.ino, target.path.name));
  if (!dirent && !target.versioned()) {
    co_return true;
  }
  if (!dirent) {
    co_return co_await plan_key(core, target, held);
  }
  if (!core.locks.try_extend(held, inode_lock(dirent->ino), LockMode::exclusive)) {
    target.busy = dirent->ino;
    co_return false;
  }
  CO_TRY(ObjectPtr object, co_await load_object(core, dirent->ino, target.bucket.root));
  if (!object) {
    co_return fail(Errc::corrupt, "dirent without inode");
  }
  CO_TRY(target.existing,
         co_await plan_leaving(core, std::move(object), now.dir.ino, target.path.name));
  if (!target.versioned()) {
    co_return true;
  }
  co_return co_await plan_key(core, target, held);
}

Task<std::optional<HeldTarget>> hold_target(Core& core,
                                            std::string_view bucket,
                                            std::string_view key,
                                            InodeId& busy) {
  HeldTarget out;
  CO_TRY(out.target, co_await plan_target(core, bucket, key));
  out.target.busy = busy;
  LockPlan locks;
  lock_target(locks, out.target);
  CO_TRY(out.held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_target(core, out.target, out.held));
  if (!confirmed) {
    busy = out.target.busy;
    co_return std::nullopt;
  }
  co_return std::move(out);
}

std::uint32_t inodes_needed(std::string_view key) {
  return 2 + static_cast<std::uint32_t>(std::ranges::count(key, '/'));
}

InodeId spare_inode(std::string_view key, InodeId first) { return first + inodes_needed(key) - 1; }

InodeId install_history_directories(Transaction& tx,
                                    const Target& target,
                                    InodeId first,
                                    std::int64_t now_ns) {
  OUTCROP_ASSERT(first != 0);
  InodeId parent = target.parent.dir.ino;
  std::size_t depth = 0;
  for (std::string_view rest = target.missing(); !rest.empty(); ++depth) {
    const std::string_view name = first_component(rest);
    if (depth < target.hidden.size()) {
      parent = target.hidden[depth]->ino;
    } else {
      tx.put_history_directory(++first, parent, name, now_ns);
      parent = first;
    }
    rest.remove_prefix(name.size());
  }
  return parent;
}

InodeId install_directories(
    Transaction& tx, const Target& target, InodeId first, bool implicit, std::int64_t now_ns) {
  OUTCROP_ASSERT(first != 0);
  InodeId parent = target.parent.dir.ino;
  tx.touch(target.bucket.root, parent);
  std::size_t depth = 0;
  for (std::string_view rest = target.missing(); !rest.empty(); ++depth) {
    const std::string_view name = first_component(rest);
    if (depth < target.hidden.size()) {
      Object revived = *target.hidden[depth];
      revived.record.mtime_ns = now_ns;
      revive_directory(tx, revived);
      tx.batch.put(dirent_key(parent, name),
                   encode(DirentRecord{
                       .ino = revived.ino, .type = InodeType::directory, .implicit = implicit}));
      tx.touch(target.bucket.root, revived.ino);
      parent = revived.ino;
    } else {
      tx.put_directory(++first, parent, name, implicit, now_ns);
      parent = first;
    }
    rest.remove_prefix(name.size());
  }
  return parent;
}

Result<void> settle_lock(const Core& core, const Target& target, InodeRecord& record) {
  ObjectLock& lock = record.attributes.lock;
  TRY(lock, new_lock(target.bucket.lock, lock, core.clock.wall_ns()));
  return ok();
}

void install_object(Core& core,
                    Transaction& tx,
                    const Target& target,
                    InodeId ino,
                    InodeId first_directory,
                    InodeRecord& record) {
  record.parent = install_directories(tx, target, first_directory, true, record.mtime_ns);
  record.name = target.path.name;
  tx.block_name(target.bucket.root, target.key);
  record.version = target.history.stamp;
  supersede(core, tx, target.history, target.existing, spare_inode(target.key, first_directory));
  tx.batch.put(dirent_key(record.parent, target.path.name), encode(dirent_of(ino, record)));
  tx.create_object(target.bucket.root, ino, record);
}

Task<Source> plan_source(Core& core, std::string_view bucket, std::string_view key) {
  Source s{.bucket_name = bucket, .key = key, .path = split_key(key)};
  CO_TRY(s.bucket, co_await find_bucket(core, bucket));
  if (s.versioned()) {
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  CO_TRY(s.chain, co_await resolve_chain(core, s.bucket.root, s.path.directory));
  s.reachable = s.path.directory.empty() || !s.chain.empty();
  co_return s;
}

void lock_source_shared(LockPlan& plan, const Source& source) {
  lock_bucket_shared(plan, source.bucket.root);
  plan.add(dirent_lock(source.parent(), source.path.name), LockMode::shared);
  if (source.busy != 0) {
    plan.add(inode_lock(source.busy), LockMode::shared);
  }
}

void lock_source(LockPlan& plan, const Source& source) {
  lock_bucket_shared(plan, source.bucket.root);
  plan.add(dirent_lock(source.parent(), source.path.name), LockMode::exclusive);
  if (source.busy != 0) {
    plan.add(inode_lock(source.busy), LockMode::exclusive);
  }
  const std::size_t depth = source.chain.size();
  for (std::size_t n = 0; n < depth && n <= source.exclusive; ++n) {
    const std::size_t i = depth - 1 - n;
    if (n == source.exclusive) {
      plan.add(dir_lock(source.chain[i].ino), LockMode::shared);
    } else {
      plan.add(dir_lock(source.chain[i].ino), LockMode::exclusive);
      plan.add(dirent_lock(source.parent_of(i), directory_name(source, i)), LockMode::exclusive);
    }
  }
}

Task<bool> confirm_source(Core& core, Source& source, LockTable::Held& held, LockMode mode) {
  const auto bucket = co_await find_bucket(core, source.bucket_name);
  if (!bucket || bucket->root != source.bucket.root) {
    co_return false;
  }
  source.bucket = *bucket;
  CO_TRY(const auto chain, co_await resolve_chain(core, source.bucket.root, source.path.directory));
  if (chain != source.chain) {
    co_return false;
  }
  CO_TRY(const auto dirent, co_await get_dirent(core, source.parent(), source.path.name));
  source.object = nullptr;
  source.leaving = {};
  if (!dirent || dirent->type != InodeType::file) {
    if (mode == LockMode::exclusive && source.versioned()) {
      co_return co_await plan_key(core, source, held);
    }
    co_return true;
  }
  if (!core.locks.try_extend(held, inode_lock(dirent->ino), mode)) {
    source.busy = dirent->ino;
    co_return false;
  }
  CO_TRY(source.object, co_await load_object(core, dirent->ino, source.bucket.root));
  if (!source.object) {
    co_return fail(Errc::corrupt, "dirent without inode");
  }
  if (mode == LockMode::exclusive) {
    CO_TRY(source.leaving,
           co_await plan_leaving(core, source.object, source.parent(), source.path.name));
  }
  if (mode == LockMode::exclusive && source.versioned()) {
    co_return co_await plan_key(core, source, held);
  }
  co_return true;
}

// A directory that is only shared may lose other children at the same time. Each remover counts
// the holders of the directory's lock and then the children: if more children than holders are
// left, one stays whatever they do (a later remover counts this one, which still holds its lock).
Task<std::optional<std::size_t>> plan_prune(Core& core,
                                            Source& source,
                                            std::string_view keep,
                                            bool leaves) {
  const std::size_t depth = source.chain.size();
  source.pruned_cookies.clear();
  source.hidden.clear();
  for (std::size_t n = 0; n < depth; ++n) {
    const std::size_t i = depth - 1 - n;
    const std::string_view path = directory_path(source, i);
    if (!source.chain[i].implicit || keep.starts_with(path)) {
      co_return n;
    }
    const InodeId dir = source.chain[i].ino;
    const bool alone = n < source.exclusive;
    const std::size_t need = alone ? 1 : core.locks.holders(dir_lock(dir));
    const std::string_view child = n == 0 ? source.path.name : directory_name(source, i + 1);
    CO_TRY(const bool occupied, co_await has_others(core, dir, child, need));
    if (occupied) {
      co_return n;
    }
    if (!alone) {
      CO_TRY(source.exclusive, co_await look_ahead(core, source, n + 1));
      co_return std::nullopt;
    }
    CO_TRY(const ObjectPtr object, co_await load_object(core, dir, source.bucket.root));
    if (!object) {
      co_return fail(Errc::corrupt, "dirent without inode");
    }
    // Where it is found in its parent. Asked also while nobody reads there: who begins before the
    // commit may see it.
    source.pruned_cookies.push_back(cookie_of(dir, object->record.moves));
    if (source.versioned() && !leaves) {
      CO_TRY(leaves, co_await has_history(core, dir));
    }
    source.hidden.push_back(leaves ? object : nullptr);
  }
  co_return depth;
}

void detach(Transaction& tx, const Source& source, std::size_t pruned) {
  tx.block_name(source.bucket.root, source.key);
  tx.batch.erase(dirent_key(source.parent(), source.path.name));
  const std::size_t depth = source.chain.size();
  for (std::size_t n = 0; n < pruned; ++n) {
    const std::size_t i = depth - 1 - n;
    tx.block_directory(source.bucket.root, directory_path(source, i));
    if (source.hidden[n]) {
      tx.batch.erase(dirent_key(source.parent_of(i), directory_name(source, i)));
      hide_directory(tx, *source.hidden[n]);
    } else {
      tx.erase_directory(source.chain[i].ino, source.parent_of(i), directory_name(source, i),
                         source.pruned_cookies[n]);
    }
  }
  tx.touch(source.bucket.root, pruned == 0 ? source.parent() : source.parent_of(depth - pruned));
}

}  // namespace outcrop::ns
