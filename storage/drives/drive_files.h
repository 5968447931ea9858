// The files that make a directory a drive, as DriveSet writes them. All blocking. Internal.
#pragma once
#include <span>

#include "storage/base/random.h"
#include "storage/drives/format.h"

namespace outcrop::drives {

/// Writes `value` to some of the two slots of a file, durably.
template <class T>
Result<void> write_slots(io::Disk& disk,
                         std::string_view file,
                         const T& value,
                         std::span<const unsigned> slots,
                         io::Access access) {
  TRY(const auto handle, disk.open(file, access, io::Cache::buffered));
  const SlotBytes bytes = encode(value);
  for (const unsigned slot : slots) {
    TRYV(handle->write_sync(slot * kSlotBytes, bytes));
  }
  return handle->sync();
}

Uuid new_uuid(Random& random);
Result<void> make_dirs(io::Disk& disk);
/// What a drive that was away says about metadata is out of date and must not be found again.
Result<void> forget_metadata(io::Disk& disk);
Result<void> write_superblock(io::Disk& disk, const Superblock& superblock);
/// Both slots, one after the other: no older record stays.
Result<void> write_witness(io::Disk& state_dir, const EpochRecord& record);
Result<void> create_epoch_file(io::Disk& disk, const EpochRecord& record);

}  // namespace outcrop::drives
