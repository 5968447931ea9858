// XXH3-64: the checksum of everything we store. Same value on every machine; any thread.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>

#include "storage/base/bytes.h"

namespace outcrop::digest {

std::uint64_t xxh3_64(ConstBytes data, std::uint64_t seed = 0);

/// Of the concatenation of `parts` (an identity and a payload, say), without copying them together.
std::uint64_t xxh3_64(std::span<const ConstBytes> parts, std::uint64_t seed = 0);
inline std::uint64_t xxh3_64(std::initializer_list<ConstBytes> parts, std::uint64_t seed = 0) {
  return xxh3_64(std::span<const ConstBytes>(parts.begin(), parts.size()), seed);
}

}  // namespace outcrop::digest
