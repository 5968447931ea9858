// What every operation of the namespace works on: the stores, the locks, the caches.
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "storage/ns/bucket_record.h"
#include "storage/ns/change_counter.h"
#include "storage/ns/directory_times.h"
#include "storage/ns/extent_cache.h"
#include "storage/ns/group_table.h"
#include "storage/ns/guarded_cache.h"
#include "storage/ns/hold_table.h"
#include "storage/ns/inode_allocator.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/lock_table.h"
#include "storage/ns/make_namespace.h"
#include "storage/ns/recent_names.h"
#include "storage/ns/sealing_buckets.h"
#include "storage/ns/tally.h"
#include "storage/ns/versioned_buckets.h"

namespace outcrop::ns {

/// An operation plans without locks, locks, and looks again; it starts over when the plan was
/// outrun. After so many times it gives up with Errc::overloaded.
inline constexpr int kMaxAttempts = 64;

/// An inode of any type, complete with its continuation records, as caches and readers share it.
struct Object {
  InodeId ino = 0;
  InodeId root = 0;  ///< of its bucket; an inode never leaves it
  InodeRecord record;
};
using ObjectPtr = std::shared_ptr<const Object>;

/// What a directory path leads to.
struct DirEntry {
  InodeId ino = 0;
  bool implicit = false;
  bool operator==(const DirEntry&) const = default;
};

/// Where a key led when it was last looked up. True as long as the inode's record says so too: see
/// find_object().
struct NameHint {
  InodeId parent = 0, ino = 0;
};

/// Inodes that a background pass is to look at, each once; what does not fit is met again later.
class InodeQueue {
 public:
  void add(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    if (x_inodes.size() < kMost) {
      x_inodes.insert(ino);
    }
  }
  std::vector<InodeId> take() {
    const std::lock_guard lock(x_mutex);
    std::vector<InodeId> out(x_inodes.begin(), x_inodes.end());
    x_inodes.clear();
    return out;
  }

 private:
  static constexpr std::size_t kMost = 1024;
  std::mutex x_mutex;
  std::unordered_set<InodeId> x_inodes;
};

/// Written data that is not durable yet (fs_data.h).
class DirtyTable;

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
        changes(meta_store),
        times(changes, settings.directory_times),
        buckets(1 << 20),
        dirs(settings.directory_cache_bytes),
        names(settings.object_cache_bytes / 4),
        objects(settings.object_cache_bytes / 4 * 3),
        extents(blob_store, settings.extent_cache_bytes) {}

  /// Once, before any other use.
  Task<> open();
  /// no_space when metadata may not grow: before anything new is made, versions and markers
  /// of what is not there too. Deleting what is there goes on.
  Result<void> check_room() const {
    return config.space && config.space().free_files == 0 ? fail(Errc::no_space, "metadata is full")
                                                          : ok();
  }

  meta::MetaStore& meta;
  segment::BlobStore& blobs;
  const Clock& clock;
  Random& random;
  std::mutex random_mutex;
  const NamespaceConfig config;
  LockTable locks;
  InodeAllocator inodes;
  ChangeCounter changes;
  DirectoryTimes times;
  /// Shared with the holds: a client may give up its last one late.
  const std::shared_ptr<HoldTable> holds = std::make_shared<HoldTable>();
  RecentNames recent;
  VersionedBuckets versioned;
  SealingBuckets sealing;
  TallyTable tallies;    ///< of every bucket
  GroupTable groups;     ///< of every bucket, too
  bool tallied = false;  ///< what buckets hold is known
  std::shared_ptr<DirtyTable> dirty;
  InodeQueue fragmented;               ///< files in many pieces, for defragment()
  Generations generations;             ///< by bucket root; moved by directory renames
  GuardedCache<BucketRecord> buckets;  ///< by bucket name
  GuardedCache<DirEntry> dirs;         ///< by path_key(root, "x/y/")
  GuardedCache<NameHint> names;        ///< by path_key(root, object key)
  GuardedCache<ObjectPtr> objects;     ///< by object_cache_key(ino): files, directories, symlinks
  ExtentCache extents;                 ///< every read of payload goes through it
  SequenceDetector sequences;
};

/// A store that takes no writes still lets files be opened and directories be read.
inline bool is_write_refusal(const Result<void>& result) {
  return !result &&
         (result.error().code() == Errc::read_only || result.error().code() == Errc::no_space);
}

inline std::string path_key(InodeId root, std::string_view path) {
  std::string key;
  key.reserve(sizeof root + path.size());
  put_be64(key, root);
  key.append(path);
  return key;
}

/// Short enough to need no allocation.
inline std::string object_cache_key(InodeId ino) {
  std::string key;
  put_be64(key, ino);
  return key;
}

/// The caller's view of an object.
ObjectInfo info_of(const Object& object);
/// The dirent that leads to it.
DirentRecord dirent_of(InodeId ino, const InodeRecord& record);

}  // namespace outcrop::ns
