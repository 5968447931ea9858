// From names to inodes: buckets, directory paths, objects. Without locks the answers were true at
// some time during the call; under the locks of a plan they stay true.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "storage/ns/core.h"

namespace outcrop::ns {

/// Of a directory path, the longest part that exists.
struct ResolvedDir {
  DirEntry dir{};  ///< at path.substr(0, found)
  std::size_t found = 0;
  bool operator==(const ResolvedDir&) const = default;
};

/// no_such_bucket.
Task<BucketRecord> find_bucket(Core& core, std::string_view name);
Task<ResolvedDir> resolve_dir(Core& core, InodeId root, std::string_view path);
/// The entries of "x/", "x/y/", ... for a path that exists; empty if it does not (any more).
Task<std::vector<DirEntry>> resolve_chain(Core& core, InodeId root, std::string_view path);
Task<std::optional<DirentRecord>> get_dirent(Core& core,
                                             InodeId parent,
                                             std::string_view name,
                                             meta::SnapshotPtr at = {});
/// From the store, with its continuation records; null if the inode is gone. `root`: its bucket's.
Task<std::shared_ptr<Object>> load_object(Core& core,
                                          InodeId ino,
                                          InodeId root,
                                          meta::SnapshotPtr at = {});
/// What it takes in Core::objects.
std::size_t cache_bytes(const Object& object);

struct FoundInode {
  ObjectPtr object;                        ///< null: gone
  GuardedCache<ObjectPtr>::Token token{};  ///< of Core::objects, from before it was read
};
/// Through the cache; current at some time during the call.
Task<FoundInode> find_inode(Core& core, InodeId ino, InodeId root);

/// A pin protects only what is still referenced when it is taken: look again after it.
Task<bool> still_current(Core& core, const Object& object);

struct FoundObject {
  ObjectPtr object;     ///< null: no such key
  segment::PinPtr pin;  ///< of its extents, if asked for
};
/// Linearizable; a pinned object's extents are safe from collection while the pin lives.
Task<FoundObject> find_object(Core& core, InodeId root, std::string_view key, bool pin);

// Lock names. Writers share their bucket; a directory rename and delete_bucket have it alone.
//
// An inode that exists is modified, given a name, or deprived of one only under inode_lock(ino),
// exclusively; a directory's record also by whoever has the bucket alone. So who holds a file's
// inode lock may rely on its record, its payload, and on all dirents that lead to it, and may write
// their summaries without their dirent locks. The lock is part of the operation's one plan, or is
// taken with LockTable::try_extend under the dirent's lock; when that fails, the next attempt plans
// it. New inodes need no lock. Reading needs none either: one record is one moment.
void lock_bucket_shared(LockPlan& plan, InodeId root);
void lock_bucket_exclusive(LockPlan& plan, InodeId root);
inline LockName dir_lock(InodeId dir) { return lock_name('D', dir); }
inline LockName dirent_lock(InodeId parent, std::string_view name) {
  return lock_name('d', parent, name);
}
inline LockName inode_lock(InodeId ino) { return lock_name('i', ino); }
inline LockName bucket_name_lock(std::string_view name) { return lock_name('b', 0, name); }
inline LockName quota_group_lock(std::uint64_t group) { return lock_name('q', group); }
inline LockName upload_lock(InodeId upload) { return lock_name('u', upload); }
inline LockName part_lock(InodeId upload, std::uint32_t number) {
  return lock_name('p', upload * 16384 + number);
}

}  // namespace outcrop::ns
