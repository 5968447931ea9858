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

static_assert(sizeof(Xxh3State) >= sizeof(XXH3_state_t) &&
              alignof(Xxh3State) >= alignof(XXH3_state_t));

XXH3_state_t* inside(Xxh3State& state) { return reinterpret_cast<XXH3_state_t*>(state.bytes); }
const XXH3_state_t* inside(const Xxh3State& state) {
  return reinterpret_cast<const XXH3_state_t*>(state.bytes);
}

void xxh3_reset(Xxh3State& state) {
  XXH3_INITSTATE(inside(state));
  XXH3_128bits_reset(inside(state));
}

void xxh3_update(Xxh3State& state, const void* data, std::size_t size) {
  XXH3_128bits_update(inside(state), data, size);
}

std::uint64_t xxh3_value(const Xxh3State& state) { return XXH3_64bits_digest(inside(state)); }

void xxh3_value128(const Xxh3State& state, unsigned char (&out)[16]) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(inside(state)));
  __builtin_memcpy(out, canonical.digest, sizeof(out));
}

}  // namespace
}  // namespace outcrop::digest
