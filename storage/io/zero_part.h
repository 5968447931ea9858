// A pre-written file (Disk::prewrite) that is made in parts, so that others have their turn between
// them.
#pragma once
#include <memory>
#include <string>

#include "storage/io/disk.h"

namespace outcrop::io {

/// Writes zeros to [from, to) of the file at `path` and syncs it; from 0 on it is made, and must
/// not exist. Its name is durable when its directory is synced or it is renamed. Blocking.
Result<std::unique_ptr<File>> zero_part(Disk& disk,
                                        const std::string& path,
                                        std::uint64_t from,
                                        std::uint64_t to);

}  // namespace outcrop::io
