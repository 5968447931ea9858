// What listings show of files that clients have written to and that are not stored yet.
#pragma once
#include <unordered_map>

#include "storage/ns/core.h"
#include "storage/ns/dirty_file.h"

namespace outcrop::ns {

/// By inode; from before the snapshot that is listed.
using DirtyFiles = std::unordered_map<InodeId, DirtyView>;
DirtyFiles dirty_files(Core& core);
/// A summary that was stored after those bytes has an ETag with a higher number.
void overlay_entry(InodeId ino, const DirtyView& dirty, ListEntry& entry);

}  // namespace outcrop::ns
