// One name in a directory that a file client looks up or is about to change: what it leads to, the
// locks that cover it, and the directories that the change makes explicit.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/fs_inode.h"
#include "storage/ns/fs_name.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

struct Entry {
  std::string name;  ///< the dirent's: with '/' for a directory
  DirentRecord dirent{};
  bool operator==(const Entry&) const = default;
};

/// What a client's name leads to in a directory. Errors: those of check_name.
Task<std::optional<Entry>> find_entry(Core& core, InodeId directory, std::string_view name);
/// The name that a client sees; `shadowed`: of a file beside a directory of its name.
std::string shown_name(std::string_view dirent_name, bool shadowed);

/// stale, not_directory.
Task<ObjectPtr> find_directory(Core& core, FileId id);
/// From the bucket root, "x/y/". Under a shared lock of the bucket and of the directory, which keep
/// it in its place.
Task<std::string> path_of(Core& core, FileId directory);

/// A directory that S3 made, and that a file client is about to use.
struct ImplicitDirectory {
  InodeId ino = 0, parent = 0;
  std::string name{};
  bool operator==(const ImplicitDirectory&) const = default;
};

/// A directory and those above it, as far as they are implicit; the innermost first.
Task<std::vector<ImplicitDirectory>> find_implicit(Core& core, FileId directory);
void lock_implicit(LockPlan& plan, const std::vector<ImplicitDirectory>& directories);
/// Under their locks, confirmed. `but`: whose record the caller writes itself.
Task<> make_explicit(Core& core,
                     Transaction& tx,
                     InodeId root,
                     const std::vector<ImplicitDirectory>& directories,
                     InodeId but = 0);

/// A place for one name, planned without locks and confirmed under them. Strings are borrowed.
struct Slot {
  FileId directory{};
  std::string_view name;
  std::string component{};       ///< the name, or what its alias stands for
  std::optional<Entry> entry{};  ///< what is there
  std::vector<ImplicitDirectory> implicit{};

  std::string file_name() const { return component; }
  std::string directory_name() const { return component + '/'; }
};

/// Errors: stale, not_directory, those of check_name; not_found for an alias of nothing. `look`:
/// whether something is expected to be there; if not, what is found later makes the plan outdated.
Task<Slot> plan_slot(Core& core, FileId directory, std::string_view name, bool look);
/// The bucket, the directory, both dirents of the name, and the inode that it leads to.
void lock_slot(LockPlan& plan, const Slot& slot);
/// False: the plan is outdated. An entry that was not looked for is filled in, and not locked.
Task<bool> confirm_slot(Core& core, Slot& slot);

}  // namespace outcrop::ns
