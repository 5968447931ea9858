// XXH3 and XXH64 for every processor the build runs on.
#include "storage/digest/xxh_body.h"

namespace outcrop::digest {

extern const XxhKernel kXxhBaseline = {xxh_one,     xxh_many,   xxh3_reset,
                                       xxh3_update, xxh3_value, xxh3_value128};

static_assert(sizeof(Xxh64State) >= sizeof(XXH64_state_t) &&
              alignof(Xxh64State) >= alignof(XXH64_state_t));

void xxh64_reset(Xxh64State& state) {
  XXH64_reset(reinterpret_cast<XXH64_state_t*>(state.bytes), 0);
}

void xxh64_update(Xxh64State& state, const void* data, std::size_t size) {
  XXH64_update(reinterpret_cast<XXH64_state_t*>(state.bytes), data, size);
}

std::uint64_t xxh64_value(const Xxh64State& state) {
  return XXH64_digest(reinterpret_cast<const XXH64_state_t*>(state.bytes));
}

}  // namespace outcrop::digest
