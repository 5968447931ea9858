// Names that go: an object that leaves its key, and a directory that holds nothing but perhaps its
// marker object, for rmdir and for renames over it.
#pragma once
#include <string_view>

#include "storage/ns/file_system.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

struct LeavingKey {
  ObjectPtr object;
  InodeId directory = 0;
  std::string_view name{};
  InodeId spare = 0;  ///< a number for a version, in a bucket with versions
};
/// The inode loses this name; the dirent is the caller's. A file of a bucket with versions becomes
/// one, below a delete marker. Under its lock. False: `busy` must be locked first.
Task<bool> leave_key(
    Core& core, Transaction& tx, LockTable::Held& held, LeavingKey key, InodeId& busy);

/// Erases the directory's inode, and its marker; its dirent is the caller's. What has history
/// leaves the tree only. With the directory locked exclusively (dir_lock and its marker's
/// dirent_lock), or the bucket. False: `busy` must be locked first. Errors: not_empty.
Task<bool> erase_empty_directory(Core& core,
                                 Transaction& tx,
                                 LockTable::Held& held,
                                 FileId directory,
                                 InodeId spare,
                                 InodeId& busy);

/// What clients have written to the file of that name is stored: it is about to become a version.
Task<> flush_entry(Core& core, FileId directory, std::string_view name);

}  // namespace outcrop::ns
