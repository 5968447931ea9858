#include "storage/drives/drive_files.h"

namespace outcrop::drives {

Uuid new_uuid(Random& random) {
  Uuid id;
  random.fill(std::as_writable_bytes(std::span(id.bytes)));
  return id;
}

Result<void> make_dirs(io::Disk& disk) {
  for (const std::string_view dir : {"segments", "spare", "journal", "meta"}) {
    TRYV(disk.make_dir(dir));
  }
  return ok();
}

Result<void> forget_metadata(io::Disk& disk) {
  for (const std::string_view dir : {"journal", "meta"}) {
    TRYV(disk.remove_tree(dir));
    TRYV(disk.make_dir(dir));
  }
  return ok();
}

Result<void> write_superblock(io::Disk& disk, const Superblock& superblock) {
  constexpr std::array<unsigned, 2> kBoth{0, 1};
  if (auto gone = disk.remove(kNewSuperblockFile);
      !gone && gone.error().code() != Errc::not_found) {
    return gone;
  }
  TRYV(write_slots(disk, kNewSuperblockFile, superblock, kBoth, io::Access::create));
  return disk.rename(kNewSuperblockFile, kSuperblockFile);
}

Result<void> write_witness(io::Disk& state_dir, const EpochRecord& record) {
  TRY(const bool there, state_dir.exists(kWitnessFile));
  for (const unsigned slot : {0U, 1U}) {
    const std::array<unsigned, 1> one{slot};
    const bool create = !there && slot == 0;
    TRYV(write_slots(state_dir, kWitnessFile, record, one,
                     create ? io::Access::create : io::Access::read_write));
  }
  return there ? ok() : state_dir.sync_dir("");
}

// Both slots, so that the next epoch finds its blocks, however full the drive is by then, and one
// damaged block is none too many.
Result<void> create_epoch_file(io::Disk& disk, const EpochRecord& record) {
  constexpr std::array<unsigned, 2> kBoth{0, 1};
  TRYV(write_slots(disk, kEpochFile, record, kBoth, io::Access::create));
  return disk.sync_dir("");
}

}  // namespace outcrop::drives
