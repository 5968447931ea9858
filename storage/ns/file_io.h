// Back-pressure on writers (fs_flush.cpp).
#pragma once
#include "storage/ns/core.h"
#include "storage/ns/dirty_file.h"

namespace outcrop::ns {

/// A file with so many bytes in memory is flushed: between these, a quarter of the budget. Large
/// units keep a streamed file's list of pieces short.
inline constexpr std::uint64_t kMinFlush = 256 << 10;
inline constexpr std::uint64_t kMaxFlush = 32 << 20;

/// Before a write is taken: while all files together are over the budget, stores some of them.
Task<> relieve_memory(Core& core, InodeId ino);
/// After it: flushes the file if it has grown large, or waits while it grows faster than it is
/// flushed.
Task<> relieve_file(Core& core, DirtyFilePtr file);

}  // namespace outcrop::ns
