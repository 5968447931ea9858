// Buckets: a name, and a root directory of its own.
#include <algorithm>
#include <ranges>
#include <set>

#include "storage/ns/operations.h"
#include "storage/ns/place.h"
#include "storage/ns/quota.h"
#include "storage/ns/tree_cursor.h"
#include "storage/ns/upload.h"
#include "storage/ns/version_cursor.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kMaxRegionBytes = 256;
constexpr std::size_t kRecordsPerBatch = 4000;

BucketInfo info_of(std::string_view name, const BucketRecord& record) {
  return {.name = std::string(name),
          .root = record.root,
          .created_ns = record.created_ns,
          .region = record.region,
          .versioning = record.versioning,
          .sealing = record.sealing,
          .lock = record.lock};
}

struct Keyless {
  ObjectPtr object;
  std::vector<LinkName> names;
  std::vector<std::string> xattrs;
};

// Explicit directories without keys below them, symlinks and special nodes do not keep a bucket;
// they go with it. What is bare first, each once with all its names, then directories in reverse
// walk order, so none is ever left without its parent.
Task<std::vector<Keyless>> find_keyless(Core& core, InodeId root) {
  std::vector<Keyless> directories, bare;
  std::set<InodeId> seen;
  TreeCursor cursor(core.meta, core.meta.snapshot(), root, 64);
  CO_TRYV(co_await cursor.seek({}));
  for (;;) {
    CO_TRY(const bool more, co_await cursor.next());
    if (!more) {
      break;
    }
    Keyless found;
    CO_TRY(found.object, co_await load_object(core, cursor.dirent().ino, root));
    if (!found.object) {
      co_return fail(Errc::corrupt, "dirent without inode");
    }
    const bool linked = found.object->record.links() > 1;
    if (linked && !seen.insert(found.object->ino).second) {
      continue;
    }
    CO_TRY(found.names, co_await names_of(core, *found.object));
    CO_TRY(found.xattrs, co_await xattr_names(core, *found.object));
    if (cursor.at_directory()) {
      cursor.enter();
      directories.push_back(std::move(found));
    } else {
      bare.push_back(std::move(found));
    }
  }
  // Taken from the end.
  std::ranges::move(bare, std::back_inserter(directories));
  co_return directories;
}

Task<> erase_keyless(Core& core, InodeId root) {
  CO_TRY(auto found, co_await find_keyless(core, root));
  while (!found.empty()) {
    Transaction tx(core);
    for (std::size_t n = 0; n < kRecordsPerBatch && !found.empty(); found.pop_back()) {
      const Keyless& last = found.back();
      tx.erase_names(*last.object, last.names);
      tx.erase_inode(*last.object, last.xattrs);
      n += 2 + 3 * last.names.size() + last.xattrs.size();
    }
    tx.block_generation(root);
    CO_TRYV(co_await tx.commit());
  }
  co_return ok();
}

// All directories that may have history, those that left the tree too, each before those below it.
// Empty: a version or a delete marker is left that a client can name. Those of paths that are too
// long for keys, since a directory above them was renamed, go with the bucket.
Task<std::optional<std::vector<InodeId>>> find_history(Core& core, const BucketRecord& bucket) {
  std::vector<InodeId> directories;
  if (bucket.versioning == Versioning::off) {
    co_return directories;
  }
  directories.push_back(bucket.root);
  VersionCursor cursor(core.meta, core.meta.snapshot(), bucket.root);
  CO_TRYV(co_await cursor.seek({}));
  for (;;) {
    CO_TRY(const bool more, co_await cursor.next());
    if (!more) {
      co_return directories;
    }
    if (cursor.at_directory()) {
      directories.push_back(cursor.directory());
      cursor.enter();
    } else if (cursor.path().size() <= kMaxKeyBytes) {
      co_return std::nullopt;
    }
  }
}

// The directory is about to have no record of history. If it is there for nothing else it goes, and
// so do those above it.
Task<> erase_hidden(Core& core, Transaction& tx, FileId dir) {
  for (bool more = false; !more && dir.ino != dir.root;) {
    CO_TRY(const ObjectPtr object, co_await load_object(core, dir.ino, dir.root));
    if (!object) {
      co_return fail(Errc::corrupt, "version in what is no directory");
    }
    if (!object->record.history) {
      co_return ok();
    }
    tx.batch.erase(history_directory_key(object->record.parent, object->record.name));
    tx.erase_inode(*object, {});
    dir.ino = object->record.parent;
    CO_TRY(more, co_await has_history(core, dir.ino, 1));
  }
  co_return ok();
}

// One record of Table::version, with the inode of what it leads to.
Task<> erase_record(
    Core& core, Transaction& tx, LockTable::Held& held, InodeId root, const meta::KeyValue& entry) {
  const auto key = parse_version_key(entry.key);
  if (!key) {
    co_return fail(Errc::corrupt, "version key malformed");
  }
  tx.batch.erase(entry.key);
  InodeId ino = 0;
  if (key->kind == VersionKind::version) {
    CO_TRY(const VersionRecord record, decode_version(entry.value, key->number));
    ino = record.summary.ino;
  } else if (key->kind == VersionKind::directory) {
    CO_TRY(ino, decode_number(entry.value));
  }
  if (ino == 0) {
    co_return ok();
  }
  // Compaction may be moving its payload: it asks for nothing else.
  if (!core.locks.try_extend(held, inode_lock(ino), LockMode::exclusive)) {
    co_return fail(Errc::overloaded, "a version is being moved");
  }
  CO_TRY(const ObjectPtr object, co_await load_object(core, ino, root));
  if (!object) {
    co_return fail(Errc::corrupt, "version without inode");
  }
  CO_TRY(const auto xattrs, co_await xattr_names(core, *object));
  tx.erase_inode(*object, xattrs);
  co_return ok();
}

// With the bucket locked alone, and nothing left in it that a client can name. From the innermost
// directory outwards: wherever it ends, what is left is found from the root again.
Task<> erase_history(Core& core,
                     LockTable::Held& held,
                     InodeId root,
                     const std::vector<InodeId>& directories) {
  for (const InodeId dir : directories | std::views::reverse) {
    for (bool more = true; more;) {
      CO_TRY(const meta::ScanPage page, co_await core.meta.scan({.lower = version_end(dir - 1),
                                                                 .upper = version_end(dir),
                                                                 .limit = kRecordsPerBatch / 4}));
      if (page.entries.empty()) {
        break;  // it had none, or went with the last one below it
      }
      more = page.more;
      Transaction tx(core);
      for (const meta::KeyValue& entry : page.entries) {
        CO_TRYV(co_await erase_record(core, tx, held, root, entry));
      }
      if (!more) {
        CO_TRYV(co_await erase_hidden(core, tx, {root, dir}));
      }
      CO_TRYV(co_await tx.commit());
    }
  }
  co_return ok();
}

// Empty: the plan was outrun.
Task<std::optional<bool>> try_delete(Core& core, std::string_view name) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, name));
  LockPlan locks;
  locks.add(bucket_name_lock(name), LockMode::exclusive);
  lock_bucket_exclusive(locks, record.root);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  const auto now = co_await find_bucket(core, name);
  if (!now || now->root != record.root) {
    co_return std::nullopt;
  }
  CO_TRY(const bool occupied, co_await has_key_below(core.meta, core.meta.snapshot(), record.root));
  if (occupied) {
    co_return fail(Errc::bucket_not_empty);
  }
  CO_TRY(const auto history, co_await find_history(core, *now));
  if (!history) {
    co_return fail(Errc::bucket_not_empty);
  }
  const auto erased = co_await erase_history(core, held, record.root, *history);
  if (!erased && erased.error().code() == Errc::object_locked) {
    co_return fail(Errc::bucket_not_empty, "a version is locked at a path too long for a key");
  }
  CO_TRYV(erased);
  CO_TRYV(co_await erase_keyless(core, record.root));
  CO_TRYV(co_await abort_all_uploads(core, record.root));
  Transaction tx(core);
  tx.block_bucket(name);
  tx.batch.erase(bucket_key(name));
  CO_TRY(ObjectPtr inode, co_await load_object(core, record.root, record.root));
  if (!inode) {
    co_return fail(Errc::corrupt, "bucket without root directory");
  }
  CO_TRY(const Leaving root, co_await plan_leaving(core, inode, kRootOfBuckets, name));
  tx.erase_inode(*root.object, root.xattrs);
  CO_TRYV(co_await commit_without_tally(core, tx, record.root));
  core.versioned.set(record.root, Versioning::off);
  core.sealing.set(record.root, false);
  co_return true;
}

}  // namespace

Task<std::vector<BucketInfo>> list_buckets(Core& core) {
  return list_buckets(core, core.meta.snapshot());
}

Task<std::vector<BucketInfo>> list_buckets(Core& core, meta::SnapshotPtr at) {
  std::vector<BucketInfo> out;
  const std::string all = bucket_key({});
  meta::ScanRequest request{.lower = all, .upper = meta::prefix_end(all)};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await core.meta.scan(request, at));
    for (const auto& [key, value] : page.entries) {
      CO_TRY(const BucketRecord record, decode_bucket(value));
      out.push_back(info_of(std::string_view(key).substr(all.size()), record));
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return out;
}

Task<BucketInfo> get_bucket(Core& core, std::string_view name) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, name));
  co_return info_of(name, record);
}

Task<BucketInfo> create_bucket(Core& core,
                               std::string_view name,
                               std::string_view region,
                               bool object_lock) {
  if (name.empty() || name.size() > kMaxNameBytes || region.size() > kMaxRegionBytes) {
    co_return fail(Errc::invalid_argument, "bucket name or region length");
  }
  CO_TRYV(core.check_room());
  CO_TRY(const InodeId root, co_await core.inodes.allocate());
  LockPlan locks;
  locks.add(bucket_name_lock(name), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const auto taken, co_await core.meta.get(bucket_key(name)));
  if (taken) {
    co_return fail(Errc::bucket_exists);
  }
  const BucketRecord record{.root = root,
                            .created_ns = core.clock.wall_ns(),
                            .region = std::string(region),
                            .versioning = object_lock ? Versioning::enabled : Versioning::off,
                            .lock = {.enabled = object_lock}};
  const InodeRecord inode{.type = InodeType::directory,
                          .parent = kRootOfBuckets,
                          .name = std::string(name),
                          .mtime_ns = record.created_ns};
  Transaction tx(core);
  tx.block_bucket(name);
  tx.batch.put(bucket_key(name), encode(record));
  tx.batch.put(inode_key(root), encode_main(inode));
  // Nobody knows the root before the commit.
  core.versioned.set(root, record.versioning, record.lock);
  add_tally(core, root);
  if (auto committed = co_await tx.commit(); !committed) {
    core.versioned.set(root, Versioning::off);
    drop_tally(core, root);
    co_return fail(std::move(committed).error());
  }
  co_return info_of(name, record);
}

namespace {

// With the bucket locked alone: `change` says what becomes of its record.
template <class Change>
Task<> change_bucket(Core& core, std::string_view name, Change change) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const BucketRecord record, co_await find_bucket(core, name));
    LockPlan locks;
    locks.add(bucket_name_lock(name), LockMode::exclusive);
    lock_bucket_exclusive(locks, record.root);
    CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
    CO_TRY(BucketRecord now, co_await find_bucket(core, name));
    if (now.root != record.root) {
      continue;
    }
    CO_TRYV(change(now));
    Transaction tx(core);
    tx.block_bucket(name);
    tx.batch.put(bucket_key(name), encode(now));
    CO_TRYV(co_await tx.commit());
    core.versioned.set(now.root, now.versioning, now.lock);
    core.sealing.set(now.root, now.sealing);
    co_return ok();
  }
  co_return outrun();
}

}  // namespace

Task<> put_versioning(Core& core, std::string_view name, Versioning state) {
  OUTCROP_ASSERT(state != Versioning::off);
  return change_bucket(core, name, [state](BucketRecord& record) -> Result<void> {
    if (record.lock.enabled && state != Versioning::enabled) {
      return fail(Errc::bucket_state, "Object Lock needs versions");
    }
    record.versioning = state;
    return ok();
  });
}

Task<> put_bucket_lock(Core& core, std::string_view name, BucketLock lock) {
  if (!lock.enabled || !is_sound(lock)) {
    co_return fail(Errc::invalid_argument, "Object Lock configuration");
  }
  co_return co_await change_bucket(core, name, [lock](BucketRecord& record) -> Result<void> {
    if (record.versioning != Versioning::enabled) {
      return fail(Errc::bucket_state, "Object Lock needs versions");
    }
    record.lock = lock;
    return ok();
  });
}

Task<> put_sealing(Core& core, std::string_view name, bool sealing) {
  return change_bucket(core, name, [sealing](BucketRecord& record) -> Result<void> {
    record.sealing = sealing;
    return ok();
  });
}

Task<> delete_bucket(Core& core, std::string_view name) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto deleted, co_await try_delete(core, name));
    if (deleted) {
      co_return ok();
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
