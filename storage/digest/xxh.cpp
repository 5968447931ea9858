#include "storage/digest/xxh.h"

#include "storage/digest/cpu_features.h"
#include "storage/digest/xxh_kernels.h"

namespace outcrop::digest {
namespace {

constexpr std::size_t kPartsInline = 8;

const XxhKernel& choose() {
#if defined(__x86_64__)
  if (cpu_features().avx2) {
    return kXxhAvx2;
  }
#endif
  return kXxhBaseline;
}

}  // namespace

const XxhKernel& xxh_kernel() {
  static const XxhKernel& chosen = choose();
  return chosen;
}

std::uint64_t xxh3_64(ConstBytes data, std::uint64_t seed) {
  return xxh_kernel().one(data.data(), data.size(), seed);
}

std::uint64_t xxh3_64(std::span<const ConstBytes> parts, std::uint64_t seed) {
  if (parts.size() == 1) {
    return xxh3_64(parts.front(), seed);
  }
  std::array<XxhPart, kPartsInline> few;
  std::vector<XxhPart> many;
  std::span<XxhPart> list(few);
  if (parts.size() > few.size()) {
    many.resize(parts.size());
    list = many;
  }
  std::ranges::transform(parts, list.begin(),
                         [](ConstBytes p) { return XxhPart{p.data(), p.size()}; });
  return xxh_kernel().many(list.data(), parts.size(), seed);
}

}  // namespace outcrop::digest
