// The XXH3 functions, static in each file that includes this once with its own instruction set:
// the shared library is built for the oldest processor and runs at a third of the speed.
#pragma once
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "storage/digest/xxh_kernels.h"

namespace outcrop::digest {
namespace {

std::uint64_t xxh_one(const void* data, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

std::uint64_t xxh_many(const XxhPart* parts, std::size_t count, std::uint64_t seed) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, seed);
  for (std::size_t i = 0; i < count; ++i) {
    XXH3_64bits_update(&state, parts[i].data, parts[i].size);
  }
  return XXH3_64bits_digest(&state);
}

}  // namespace
}  // namespace outcrop::digest
