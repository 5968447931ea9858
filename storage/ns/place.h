// The two ends of a change of the tree: the place where a key will be (with the directories that
// are missing on the way), and the place that it leaves (with the directories that become empty).
// Each is planned without locks, names its locks, and is confirmed under them. An inode that is
// found only then is locked on the spot if nobody has it; else `busy` says which one, and the next
// attempt waits for it: hand it on.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "storage/ns/history.h"
#include "storage/ns/keys.h"
#include "storage/ns/path.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

/// Not empty, at most kMaxKeyBytes.
Result<void> check_key(std::string_view key);

/// Where an object is about to be. Strings are borrowed.
struct Target {
  std::string_view bucket_name, key;
  KeyPath path;
  BucketRecord bucket{};
  ResolvedDir parent{};  ///< of path.directory
  InodeId busy = 0;
  Leaving existing{};  ///< after confirm: what is replaced, a symlink too
  // After confirm, in a bucket with versions:
  std::vector<ObjectPtr> hidden{};  ///< of missing(), history directories, outermost first
  KeyHistory history{};

  std::string_view missing() const { return path.directory.substr(parent.found); }
  bool versioned() const { return bucket.versioning != Versioning::off; }
  /// After confirm: the directory that the key's versions lie in; 0: there is none.
  InodeId history_directory() const;
  /// What S3 sees there.
  ObjectPtr object() const {
    const bool file = existing.object && existing.object->record.type == InodeType::file;
    return file ? existing.object : nullptr;
  }
};

Task<Target> plan_target(Core& core, std::string_view bucket, std::string_view key);
void lock_target(LockPlan& plan, const Target& target);
/// Fills `hidden`. Done by confirm_target, which locks these inodes, too: null for who has the
/// bucket locked alone. False: `busy` must be locked first.
Task<bool> find_hidden(Core& core, Target& target, LockTable::Held* held);
/// False: the plan is outdated. Fills `existing` and what is below it.
Task<bool> confirm_target(Core& core, Target& target, LockTable::Held& held);
/// A target that is confirmed, and its locks.
struct HeldTarget {
  Target target;
  LockTable::Held held;
};
/// Plans, locks and confirms a target that is all an operation needs. Empty: the plan was outrun.
/// `busy` is 0 at first and handed on to the next attempt.
Task<std::optional<HeldTarget>> hold_target(Core& core,
                                            std::string_view bucket,
                                            std::string_view key,
                                            InodeId& busy);
/// Numbers that install needs at most: the object's, then one for each directory of its key, and
/// the last for a version of what is replaced.
std::uint32_t inodes_needed(std::string_view key);
/// Makes missing directories (implicit, or explicit below an explicit one that moves) with the
/// numbers after `first` and returns the inode of the last one.
InodeId install_directories(
    Transaction& tx, const Target& target, InodeId first, bool implicit, std::int64_t now_ns);
/// Puts `record` (parent and name are filled in) at the target, in the place of what is there.
/// Directories get the numbers after `first_directory`; inodes_needed() of them are the caller's.
/// The number for a version, of those that begin with `first`.
InodeId spare_inode(std::string_view key, InodeId first);
/// The missing directories come to be for the sake of a key's history alone: in no dirent.
InodeId install_history_directories(Transaction& tx,
                                    const Target& target,
                                    InodeId first,
                                    std::int64_t now_ns);
/// What it has of Object Lock, by what was asked for it (attributes.lock) and by the bucket, comes
/// first: no_object_lock.
Result<void> settle_lock(const Core& core, const Target& target, InodeRecord& record);
void install_object(Core& core,
                    Transaction& tx,
                    const Target& target,
                    InodeId ino,
                    InodeId first_directory,
                    InodeRecord& record);

/// What an object leaves. Strings are borrowed.
struct Source {
  std::string_view bucket_name, key;
  KeyPath path;
  BucketRecord bucket{};
  std::vector<DirEntry> chain{};  ///< the directories of path.directory, outermost first
  bool reachable = false;         ///< all of path.directory exists
  std::size_t exclusive = 0;      ///< innermost directories that are locked for removal
  InodeId busy = 0;
  ObjectPtr object{};                           ///< after confirm; null: no such key
  Leaving leaving{};                            ///< after confirm, of a source that is not shared
  KeyHistory history{};                         ///< the same, in a bucket with versions
  std::vector<std::uint64_t> pruned_cookies{};  ///< after plan_prune, the innermost first
  std::vector<ObjectPtr> hidden{};              ///< the same; null: nothing is left of it

  bool versioned() const { return bucket.versioning != Versioning::off; }

  InodeId parent() const { return chain.empty() ? bucket.root : chain.back().ino; }
  InodeId parent_of(std::size_t i) const { return i == 0 ? bucket.root : chain[i - 1].ino; }
};

Task<Source> plan_source(Core& core, std::string_view bucket, std::string_view key);
/// For an object that stays: nothing may replace, remove, move or modify it meanwhile.
void lock_source_shared(LockPlan& plan, const Source& source);
/// For an object that goes.
void lock_source(LockPlan& plan, const Source& source);
/// `mode`: exclusive for an object that goes.
Task<bool> confirm_source(Core& core, Source& source, LockTable::Held& held, LockMode mode);
/// How many of the innermost directories go with the object. `keep`: a key that will be there
/// afterwards (a rename's destination), so its directories stay. Empty: more directories must be
/// locked; source.exclusive says how many. `leaves`: the key's history gets a record, or keeps one.
Task<std::optional<std::size_t>> plan_prune(Core& core,
                                            Source& source,
                                            std::string_view keep,
                                            bool leaves = false);
/// Erases the dirent and `pruned` directories (those with history leave the tree only), and touches
/// the directory that stays; the inode is the caller's.
void detach(Transaction& tx, const Source& source, std::size_t pruned);

}  // namespace outcrop::ns
