// The journal's files: pre-written, on m+1 drives each, used in turns. A generation is one file's
// worth of journal, the same bytes on each of its drives.
#pragma once
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/drives/drive_set.h"
#include "storage/meta/config.h"
#include "storage/meta/journal_format.h"

namespace outcrop::meta {

struct JournalFile {
  drives::Slot slot = 0;
  std::string path;
  std::unique_ptr<io::File> file;
};

struct Generation {
  std::uint64_t number = 0;
  unsigned worker = 0;
  std::vector<JournalFile> replicas;
  std::uint64_t bytes = 0;   ///< of each file
  std::uint64_t offset = 0;  ///< where the next block goes
  Sequence last = 0;         ///< of the last block in it
  bool on(drives::Slot slot) const {
    return std::ranges::find(replicas, slot, &JournalFile::slot) != replicas.end();
  }
};
using GenerationPtr = std::unique_ptr<Generation>;

/// Thread-safe. Calls marked "blocking" are for start-up and the blocking pool.
class JournalFiles {
 public:
  JournalFiles(drives::DriveSet& drives, const MetaConfig& config);

  /// After replay: takes the files that are there for reuse, removes those that do not fit, and
  /// numbers generations from `first_generation` on. Blocking.
  Result<void> adopt(std::uint64_t first_generation);
  /// A fresh generation on m+1 live drives. Drives that fail meanwhile are ejected. Errors:
  /// read_only, no_space. Blocking.
  Result<GenerationPtr> prepare(unsigned worker);
  /// Keeps a generation until recycle() finds that no mirror needs it.
  void retire(GenerationPtr generation);
  /// Frees the retired generations whose blocks are all at or below positions[worker].
  void recycle(const std::vector<Sequence>& positions);
  std::size_t retired(unsigned worker) const;
  /// True if every replica is on a drive that is live and does not drain.
  bool healthy(const Generation& generation) const;
  /// Closes the free files of a drive that left or drains.
  void forget(drives::Slot slot);
  /// True if a retired generation has a replica on the drive.
  bool needs(drives::Slot slot) const;

 private:
  Result<JournalFile> take(drives::Slot slot);
  Result<JournalFile> create(drives::Slot slot);
  Result<void> adopt_drive(drives::Slot slot);
  void give_back(std::vector<JournalFile> files);
  bool usable(drives::Slot slot) const;

  drives::DriveSet& x_drives;
  const std::uint64_t x_file_bytes;
  mutable std::mutex x_mutex;                    // guards all below
  std::vector<std::vector<JournalFile>> x_free;  // by slot
  std::vector<GenerationPtr> x_retired;
  std::uint64_t x_next_generation = 1;
  std::uint64_t x_next_name = 0;
};

}  // namespace outcrop::meta
