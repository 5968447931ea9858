#include "storage/base/random.h"

#include <sys/random.h>

#include <cstring>

namespace outcrop {

void Random::fill(MutBytes out) {
  while (!out.empty()) {
    const std::uint64_t v = next();
    const std::size_t n = std::min(out.size(), sizeof v);
    std::memcpy(out.data(), &v, n);
    out = out.subspan(n);
  }
}

std::uint64_t SystemRandom::next() {
  std::uint64_t v = 0;
  OUTCROP_ASSERT(::getrandom(&v, sizeof v, 0) == sizeof v);
  return v;
}

}  // namespace outcrop
