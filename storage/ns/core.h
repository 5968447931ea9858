// What every operation of the namespace works on: the stores, the locks, the caches.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/ns/bucket_record.h"
#include "storage/ns/guarded_cache.h"
#include "storage/ns/inode_allocator.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/lock_table.h"
#include "storage/ns/make_namespace.h"

namespace outcrop::ns {

/// An operation plans without locks, locks, and looks again; it starts over when the plan was
/// outrun. After so many times it gives up with Errc::overloaded.
inline constexpr int kMaxAttempts = 64;

/// A file inode, complete with its continuation records, as caches and readers share it.
struct Object {
  InodeId ino = 0;
  InodeRecord record;
};
using ObjectPtr = std::shared_ptr<const Object>;

/// What a directory path leads to.
struct DirEntry {
  InodeId ino = 0;
  bool implicit = false;
  bool operator==(const DirEntry&) const = default;
};

struct Core {
  Core(meta::MetaStore& meta_store,
       segment::BlobStore& blob_store,
       const Clock& time_source,
       Random& random_source,
       const NamespaceConfig& settings)
      : meta(meta_store),
        blobs(blob_store),
        clock(time_source),
        random(random_source),
        config(settings),
        inodes(meta_store, locks, settings.inode_block),
        buckets(1 << 20),
        dirs(settings.directory_cache_bytes),
        objects(settings.object_cache_bytes) {}

  meta::MetaStore& meta;
  segment::BlobStore& blobs;
  const Clock& clock;
  Random& random;
  std::mutex random_mutex;
  const NamespaceConfig config;
  LockTable locks;
  InodeAllocator inodes;
  Generations generations;             ///< by bucket root; moved by directory renames
  GuardedCache<BucketRecord> buckets;  ///< by bucket name
  GuardedCache<DirEntry> dirs;         ///< by path_key(root, "x/y/")
  GuardedCache<ObjectPtr> objects;     ///< by path_key(root, object key)
};

inline std::string path_key(InodeId root, std::string_view path) {
  std::string key;
  key.reserve(sizeof root + path.size());
  put_be64(key, root);
  key.append(path);
  return key;
}

/// The caller's view of an object.
ObjectInfo info_of(const Object& object);
/// The dirent that leads to it.
DirentRecord dirent_of(InodeId ino, const InodeRecord& record);

}  // namespace outcrop::ns
