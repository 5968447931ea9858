// The journal's files: pre-written, on m+1 drives each, used in turns. A generation is one file's
// worth of journal, the same bytes on each of its drives.
#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/drives/drive_set.h"
#include "storage/drives/stock.h"
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
class JournalFiles final : public drives::Stock {
 public:
  JournalFiles(drives::DriveSet& drives, const MetaConfig& config, std::size_t workers);

  /// After replay: takes the files that are there for reuse, removes those that do not fit, and
  /// numbers generations from `first_generation` on. Blocking.
  Result<void> adopt(std::uint64_t first_generation);
  /// A fresh generation on m+1 live drives, those with free files first: making one takes until all
  /// of it is written. Drives that fail meanwhile are ejected. Errors:
  /// read_only, no_space. Blocking.
  Result<GenerationPtr> prepare(unsigned worker);
  /// Keeps a generation until recycle() finds that no mirror needs it.
  void retire(GenerationPtr generation);
  /// Frees the retired generations whose blocks are all at or below positions[worker].
  void recycle(const std::vector<Sequence>& positions);
  std::size_t retired(unsigned worker) const;
  /// True if every replica is on a drive that is live and does not drain.
  bool healthy(const Generation& generation) const;
  /// Closes the free files of a drive that left or drains, and gives up the one that is being made.
  void forget(drives::Slot slot);
  /// True if a retired generation has a replica on the drive.
  bool needs(drives::Slot slot) const;

  // drives::Stock: free files
  /// When a drive leaves, each worker may lose the generation in use and the next one.
  std::size_t wanted(const io::Space& space) const override;
  std::size_t count(drives::Slot slot) const override;
  bool take_missed(drives::Slot slot) override;
  Result<bool> add_part(drives::Slot slot, std::size_t wanted) override;

 private:
  /// A file that is made in parts.
  struct Begun {
    std::string path;
    std::uint64_t written = 0;
  };
  Begun begin(drives::Slot slot);
  bool note_part(drives::Slot slot, const Begun& begun, Result<std::unique_ptr<io::File>>& file);
  /// Where a generation of the worker goes, the best drives first.
  std::vector<drives::Slot> order(unsigned worker, const std::vector<drives::Slot>& live) const;
  Result<JournalFile> take(drives::Slot slot);
  Result<JournalFile> create(drives::Slot slot);
  Result<void> adopt_drive(drives::Slot slot);
  void give_back(std::vector<JournalFile> files);
  bool usable(drives::Slot slot) const;

  drives::DriveSet& x_drives;
  const std::uint64_t x_file_bytes;
  const std::size_t x_workers;
  mutable std::mutex x_mutex;                    // guards all below
  std::vector<std::vector<JournalFile>> x_free;  // by slot
  std::map<drives::Slot, Begun> x_begun;
  std::set<drives::Slot> x_missed;
  std::vector<GenerationPtr> x_retired;
  std::uint64_t x_next_generation = 1;
  std::uint64_t x_next_name = 0;
};

}  // namespace outcrop::meta
