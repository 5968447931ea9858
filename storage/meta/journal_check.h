// Whether the journals of all drives are as they were written: what fsck says about them before
// replay makes do with the copies that are good.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "storage/meta/journal_reader.h"

namespace outcrop::meta {

struct JournalComplaint {
  enum class Kind : std::uint8_t {
    unreadable,  ///< a file cannot be read
    cut,         ///< a file holds blocks and is not as long as the others
    lacks,       ///< a drive lacks copies of blocks that it was given
    too_few,     ///< blocks have fewer copies than there are metadata mirrors
  };
  Kind kind = Kind::unreadable;
  drives::Slot slot = 0;    ///< of the drive; of `too_few`: of one that has a copy
  std::string path;         ///< of the file; of `lacks`: of one of its others
  std::uint64_t count = 0;  ///< blocks; of `cut`: the bytes that are missing
  std::string detail{};
};

struct JournalReport {
  std::uint64_t files = 0, blocks = 0;  ///< blocks that replay reads
  std::vector<JournalComplaint> complaints;
};

/// Reads all journals of the drives that were current at open; `flushed(worker)` is what every
/// mirror has durably. The last block of a worker may be in doubt and is not complained about.
/// Blocking.
JournalReport check_journals(drives::DriveSet& drives,
                             const std::function<Sequence(unsigned worker)>& flushed);

}  // namespace outcrop::meta
