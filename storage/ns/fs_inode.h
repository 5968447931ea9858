// Inodes as the file view sees them: found by number, checked to lie in the right bucket, with
// attributes that include what only memory knows.
#pragma once
#include "storage/ns/file_system.h"
#include "storage/ns/path.h"

namespace outcrop::ns {

/// Through the cache; never null. Errors: stale.
Task<FoundInode> find_inode(Core& core, FileId id);
/// The same for a number alone; null if it is gone.
Task<FoundInode> find_inode(Core& core, InodeId ino);
/// From the store, for a change under its lock. Errors: stale.
Task<ObjectPtr> load_inode(Core& core, FileId id);

/// As the record has them, and (of a directory) memory; without what is dirty.
FileAttributes stored_attributes(Core& core, const Object& object);
/// With what is dirty now: for who holds the inode's lock. Else see current_attributes.
FileAttributes attributes_of(Core& core, const Object& object);

/// The ETag of a file whose content came through the file view: not an MD5 (it has a '-'), and
/// another one after every change.
std::string file_etag(InodeId ino, std::uint64_t change);
/// Whether it is such an ETag of this inode, for that change or a later one.
bool is_file_etag_since(std::string_view etag, InodeId ino, std::uint64_t change);

}  // namespace outcrop::ns
