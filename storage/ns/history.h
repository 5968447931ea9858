// What becomes of an object that is replaced or deleted in a bucket with versions: it stays as a
// version, or, being the null version of a bucket where versioning is suspended, it goes. Planned
// under the locks of the key (its dirent's, and the inode's that is there), put into the caller's
// transaction.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "storage/ns/transaction.h"
#include "storage/ns/versions.h"

namespace outcrop::ns {

/// One key that gets a new current version, or a delete marker.
struct KeyHistory {
  InodeId root = 0, directory = 0;
  std::string name{};
  VersionStamp stamp{};  ///< of what comes; number 0 in a bucket without versions
  bool keep = false;     ///< what is there stays as a version
  bool marks = true;     ///< a delete of it makes a delete marker
  /// The null version that lies below and has to go.
  std::optional<VersionRecord> replaced{};
  Leaving replaced_object{};  ///< null object: it is a marker
};

/// `there`: the object at the key, null for none. Under its locks. With `busy` set nothing may be
/// relied on: that inode must be locked first.
Task<KeyHistory> plan_history(Core& core,
                              LockTable::Held& held,
                              InodeId root,
                              Versioning versioning,
                              InodeId directory,
                              std::string_view name,
                              const ObjectPtr& there,
                              InodeId& busy);
/// The same where the directory does not exist yet: there is no history.
KeyHistory new_history(Core& core, InodeId root, Versioning versioning, std::string_view name);

/// File clients have files whose paths are too long for keys. What no S3 client can name or delete
/// makes no versions, and a delete marker only above versions from when it was a key. With the
/// bucket's lock shared.
Task<> limit_to_keys(Core& core, KeyHistory& history);

/// What is at the key leaves it, as planned. Its dirent is the caller's. `spare`: an inode number
/// for a version of what somebody has open or what has other names.
void supersede(
    Core& core, Transaction& tx, const KeyHistory& history, const Leaving& there, InodeId spare);
/// A delete marker in `directory` (which may be new), after supersede().
void put_marker(Transaction& tx, const KeyHistory& history, InodeId directory, std::int64_t now_ns);
/// A version goes for good: its record, and its inode if it is no marker.
void erase_version(Transaction& tx,
                   InodeId directory,
                   std::string_view name,
                   const VersionRecord& record,
                   const Leaving& object);

/// A file gets a new stamp and goes on under it: what it is now becomes a version under each of its
/// names (the first 256 of a file with more). For changes in place. Under its lock. Errors:
/// no_space if that makes a version and metadata may not grow.
struct Renewal {
  VersionStamp stamp{};
  std::vector<KeyHistory> names{};
};
/// `first`: a name that the file is about to lose. It keeps a version before all others.
struct NamePlace {
  InodeId directory = 0;
  std::string_view name{};
};
Task<Renewal> plan_renewal(Core& core,
                           LockTable::Held& held,
                           Versioning versioning,
                           const Object& file,
                           InodeId& busy,
                           NamePlace first = {});
/// How many numbers from `spare` on apply_renewal may use.
std::uint32_t renewal_inodes(const Object& file);
/// Sets the stamp of `after`; its record and its dirents are the caller's.
void apply_renewal(
    Transaction& tx, const Renewal& renewal, const Object& before, Object& after, InodeId spare);

/// A directory loses its last key but has history: it leaves the tree. Its dirent is the caller's.
void hide_directory(Transaction& tx, const Object& directory);
/// The opposite: the record that a directory has in the tree again. Its dirent is the caller's.
void revive_directory(Transaction& tx, Object& directory);

}  // namespace outcrop::ns
