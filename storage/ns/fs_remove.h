// Removing a directory that holds nothing but perhaps its marker object: for rmdir and for renames
// over it.
#pragma once
#include "storage/ns/file_system.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

/// Erases the directory's inode, and its marker; its dirent is the caller's. With the directory
/// locked exclusively (dir_lock and its marker's dirent_lock), or the bucket. False: the marker's
/// inode is locked by others, `busy_marker` says which it is. Errors: not_empty.
Task<bool> erase_empty_directory(
    Core& core, Transaction& tx, LockTable::Held& held, FileId directory, InodeId& busy_marker);

}  // namespace outcrop::ns
