// Seeded bytes for the tests of this folder.
#pragma once
#include <random>

#include "storage/base/bytes.h"

namespace outcrop::digest {

inline ByteVector random_bytes(std::size_t size, std::mt19937_64& random) {
  ByteVector out(size);
  std::size_t at = 0;
  while (at < size) {
    const std::uint64_t word = random();
    const std::size_t n = std::min<std::size_t>(8, size - at);
    std::memcpy(out.data() + at, &word, n);
    at += n;
  }
  return out;
}

/// Cuts `data` at random places and calls `take` for each piece, some of them empty.
template <class Take>
void random_pieces(ConstBytes data, std::mt19937_64& random, Take take) {
  const std::size_t typical = std::size_t{1} << random() % 18;
  while (!data.empty()) {
    const std::size_t n = std::min<std::size_t>(data.size(), random() % (2 * typical));
    take(data.first(n));
    data = data.subspan(n);
  }
}

}  // namespace outcrop::digest
