// What every record codec promises: any bytes decode or are refused, and what is accepted encodes
// to the same bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/assert.h"

namespace outcrop::ns {

inline std::string_view fuzz_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

template <class Decode, class Encode>
int fuzz_round_trip(std::string_view bytes, Decode decode, Encode encode_again) {
  const auto record = decode(bytes);
  if (record) {
    OUTCROP_ASSERT(encode_again(*record) == bytes);
  }
  return 0;
}

}  // namespace outcrop::ns
