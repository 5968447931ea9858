// What drives of different sizes can hold together.
#pragma once
#include <cstdint>
#include <vector>

namespace outcrop::segment {

/// Bytes of large objects that fit into `rooms` (bytes free of each drive) if segments are laid
/// over all drives that have room, up to 16 of them, with `parity` shards of each, until fewer than
/// parity + 1 are left: the way Allocator does it.
std::uint64_t usable_bytes(std::vector<std::uint64_t> rooms, unsigned parity);

}  // namespace outcrop::segment
