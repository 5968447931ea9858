#include "storage/ns/list_dirty.h"

#include <algorithm>

#include "storage/ns/fs_inode.h"

namespace outcrop::ns {

DirtyFiles dirty_files(Core& core) {
  DirtyFiles out;
  if (core.dirty->any()) {
    for (const DirtyFilePtr& file : core.dirty->all()) {
      if (DirtyView view = file->view(0, 0); view.dirty) {
        out.emplace(file->ino(), std::move(view));
      }
    }
  }
  return out;
}

void overlay_entry(InodeId ino, const DirtyView& dirty, ListEntry& entry) {
  if (!is_file_etag_since(entry.etag, ino, dirty.change)) {
    entry.size = std::max(entry.size, dirty.end);
    entry.mtime_ns = dirty.mtime_ns;
    entry.etag = file_etag(ino, dirty.change);
    entry.checksum_algorithm = digest::Algorithm::none;
    entry.checksum_type = digest::ChecksumType::full_object;
  }
}

}  // namespace outcrop::ns
