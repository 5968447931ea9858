#include "storage/segment/capacity.h"

#include <algorithm>

#include "storage/segment/format.h"

namespace outcrop::segment {

std::uint64_t usable_bytes(std::vector<std::uint64_t> rooms, unsigned parity) {
  std::ranges::sort(rooms);
  std::uint64_t usable = 0, filled = 0;  // of each drive that is left
  for (std::size_t i = 0; rooms.size() - i > parity; ++i) {
    const std::uint64_t drives = rooms.size() - i;
    const std::uint64_t shards = std::min<std::uint64_t>(drives, kMaxShards);
    usable += (rooms[i] - filled) * drives / shards * (shards - parity);
    filled = rooms[i];
  }
  return usable;
}

}  // namespace outcrop::segment
