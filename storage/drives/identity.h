// What drives say about themselves at start, and which of their epoch records counts.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/drives/format.h"

namespace outcrop::drives {

struct Found {
  Superblock superblock;
  std::vector<EpochRecord> records;  ///< one or two; the newest first
  std::uint64_t epoch() const { return records.front().epoch; }
};

/// `drive "/data/3"`, for messages.
std::string quoted(const io::Disk& disk);
/// True if a directory holds nothing but what a fresh filesystem has. Blocking.
Result<bool> is_blank(io::Disk& disk);
/// Locks all drives and reads their identities, checked against each other. Drives that are blank
/// (new, or a mount that failed) or whose join was cut off go to `blank`, damaged and failing ones
/// are taken off `disks` with a message: the others may do without them. config errors: in use,
/// foreign, cloned, half formatted, or none left. Blocking.
Result<std::vector<Found>> read_identities(std::vector<std::unique_ptr<io::Disk>>& disks,
                                           std::vector<std::unique_ptr<io::Disk>>& blank);
/// What one drive says about itself. corrupt: it is of no use, and the others may do without it;
/// config: a mistake that someone has to look at. Blocking.
Result<Found> read_identity(io::Disk& disk);
std::uint64_t newest_epoch(const std::vector<Found>& found);
/// False for a drive that was removed, or whose slot another one has by now.
bool is_member(const EpochRecord& record, const Superblock& superblock);
/// What a drive that is to join says about itself: empty if it is blank. invalid_argument, with
/// what to do, for all that must not be written to. Blocking.
Result<std::optional<Superblock>> look_at_newcomer(io::Disk& disk);
/// The newest record that was written to every drive it calls live, as far as those here can tell;
/// null if there is none. A newer one was cut off while it was being written: nothing was
/// acknowledged under it, and the drives it did not reach are as current as the others. (Another
/// record of the same epoch is one that was cut off, and that a start without its drives went
/// over.)
const EpochRecord* newest_complete(const std::vector<Found>& found);
/// What state_dir knows; empty if it is nothing, or cannot be read. Blocking.
std::optional<EpochRecord> read_witness(io::Disk& state_dir);
/// config error unless enough of the record's live members are here that no newer epoch can exist
/// without them, and that the data survives what is missing. All but m are enough if the witness
/// knows no other epoch: without m+1 of them nothing was acknowledged, or the witness knows it.
Result<void> check_quorum(const EpochRecord& record,
                          std::size_t present_live,
                          const std::optional<EpochRecord>& witness,
                          bool allow_reduced_redundancy);

}  // namespace outcrop::drives
