// A drive that is read and never changed: what is written, renamed or removed on it goes to another
// directory, and shows as if it were done. So what only works on a drive that it may write to
// (opening an index, replaying a journal) can be asked what it would find.
#pragma once
#include <memory>

#include "storage/io/disk.h"

namespace outcrop::io {

/// The longest file of the base that is copied to be changed; longer ones are refused.
inline constexpr std::uint64_t kMaxOverlayCopy = 64 << 20;

/// Owns both. `upper` is empty, and nobody else's. lock() excludes whoever locks `base`, without
/// making its lock file: without one nobody has it. Has no native path. Thread-safe.
std::unique_ptr<Disk> make_overlay_disk(std::unique_ptr<Disk> base, std::unique_ptr<Disk> upper);

}  // namespace outcrop::io
