// On-disk identity of a drive: the superblock and the epoch record, each a file of two 4 KiB slots.
// Layout in docs/ON_DISK_FORMAT.md. Sans-IO: bytes in, values out; fuzzed.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/drives/drive_set.h"

namespace outcrop::drives {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::uint16_t kEpochVersion = 3;       ///< the newest; 1 and 2 are read
inline constexpr std::uint16_t kEpochFlagsVersion = 2;  ///< without Member::missed
inline constexpr std::size_t kSlotBytes = 4096;
inline constexpr std::string_view kSuperblockFile = "superblock";
/// Becomes the superblock when it is whole; alone it means nothing.
inline constexpr std::string_view kNewSuperblockFile = "superblock.new";
inline constexpr std::string_view kEpochFile = "epoch";
/// In state_dir: an epoch file, both slots alike.
inline constexpr std::string_view kWitnessFile = "drive-epoch";

/// Written at format time; both slots alike. A later format change writes one slot, then the other.
struct Superblock {
  Uuid cluster, drive;
  Slot slot = 0;
  std::uint64_t generation = 1;
  bool operator==(const Superblock&) const = default;
};

using SlotBytes = std::array<std::byte, kSlotBytes>;

SlotBytes encode(const Superblock& superblock);
SlotBytes encode(const EpochRecord& record);
/// corrupt: not ours, torn, or flipped; not_implemented: a newer format version.
Result<Superblock> decode_superblock(ConstBytes slot);
Result<EpochRecord> decode_epoch(ConstBytes slot);

}  // namespace outcrop::drives
