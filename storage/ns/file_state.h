// A file's record and what is written and not stored yet, as they belong together at one moment.
#pragma once
#include "storage/ns/dirty_file.h"
#include "storage/ns/fs_inode.h"

namespace outcrop::ns {

struct FileState {
  FoundInode inode;
  DirtyFilePtr file;  ///< null: nothing was dirty
  DirtyView dirty;
  const InodeRecord& record() const { return inode.object->record; }
  std::uint64_t size() const {
    return dirty.dirty ? std::max(record().size, dirty.end) : record().size;
  }
};

/// With the dirty bytes of [from, to). Errors: stale; is_directory, invalid_argument for what is no
/// regular file.
Task<FileState> look_at_file(Core& core, FileId id, std::uint64_t from = 0, std::uint64_t to = 0);

/// Of an inode of any type: what a client is shown. Errors: stale.
Task<FileAttributes> current_attributes(Core& core, FileId id);

/// access_denied for a file whose bytes file clients cannot change: what is sealed, and whatever
/// lies in a bucket that promises to hold nothing in the clear.
bool is_fixed(const Core& core, const Object& object);
std::unexpected<Error> fail_fixed();
Result<void> check_changeable(const Core& core, const Object& object);

/// Lays what is dirty over a record's attributes.
void overlay_attributes(const DirtyView& dirty, FileAttributes& attributes);

}  // namespace outcrop::ns
