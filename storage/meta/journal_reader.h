// Reads the journals of all drives at start-up: which blocks there are, and where their copies lie.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/drives/drive_set.h"
#include "storage/meta/journal_format.h"

namespace outcrop::meta {

/// One block and all its copies. A block that was written again after a drive failed has the same
/// sequences in another generation; it counts as a copy.
struct StoredBlock {
  BlockHeader header;
  struct Copy {
    drives::Slot slot = 0;
    std::string path;
    BlockHeader header;
  };
  std::vector<Copy> copies;
};

/// A journal file as it was found.
struct JournalFileSeen {
  drives::Slot slot = 0;
  std::string path;
  std::uint64_t bytes = 0, blocks = 0;  ///< blocks that verify, whatever their age
  std::optional<Error> unreadable{};
};

/// Blocking; start-up only.
class JournalReader {
 public:
  explicit JournalReader(drives::DriveSet& drives) : x_drives(drives) {}

  /// Reads every journal file of the drives that were current at open. Keeps blocks that go beyond
  /// what `done(worker)` says. Unreadable or damaged pieces are passed over: a copy elsewhere
  /// serves, and a block that is nowhere shows as a gap in the `previous` chain.
  void scan(const std::function<Sequence(unsigned worker)>& done);
  /// Forgets blocks that were given up: one that a later block of its worker passes over, naming
  /// an earlier one as the block before it, was never acked and must not count.
  void drop_passed_over();
  /// By worker, by last sequence.
  const std::map<unsigned, std::map<Sequence, StoredBlock>>& blocks() const { return x_blocks; }
  const std::vector<JournalFileSeen>& files() const { return x_files; }
  /// Drives that could not be read, or not all of what they have: blocks may be on them that scan()
  /// has not seen.
  const std::set<drives::Slot>& failing() const { return x_failing; }
  std::uint64_t max_generation() const { return x_max_generation; }
  Sequence max_sequence() const { return x_max_sequence; }

  /// The transactions of a block from the first copy that still verifies. Errors: corrupt.
  Result<std::vector<Transaction>> load(const StoredBlock& block) const;

 private:
  Result<Buffer> read_all(drives::Slot slot, io::File& file, std::string_view what);
  Result<void> scan_file(drives::Slot slot,
                         const std::string& path,
                         const std::function<Sequence(unsigned)>& done);

  drives::DriveSet& x_drives;
  std::map<unsigned, std::map<Sequence, StoredBlock>> x_blocks;
  std::vector<JournalFileSeen> x_files;
  std::set<drives::Slot> x_failing;
  std::uint64_t x_max_generation = 0;
  Sequence x_max_sequence = 0;
};

}  // namespace outcrop::meta
