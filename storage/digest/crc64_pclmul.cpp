// CRC-64/NVME by folding four 128-bit registers with carry-less multiplication (2010 and later).
#include <immintrin.h>

#include "storage/digest/crc64_kernels.h"

namespace outcrop::digest {
namespace {

__m128i load(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

__m128i constant(Crc64Fold f) {
  return _mm_set_epi64x(static_cast<long long>(f.high), static_cast<long long>(f.low));
}

__m128i fold(__m128i from, __m128i onto, __m128i k) {
  const __m128i low = _mm_clmulepi64_si128(from, k, 0x00);
  const __m128i high = _mm_clmulepi64_si128(from, k, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

}  // namespace

std::uint64_t crc64_pclmul(std::uint64_t crc, const std::byte* data, std::size_t size) {
  if (size < 64) {
    return crc64_portable(crc, data, size);
  }
  constexpr Crc64Fold kBy512 = crc64_fold(512);
  constexpr Crc64Fold kBy128 = crc64_fold(128);
  __m128i x0 = _mm_xor_si128(load(data), _mm_set_epi64x(0, static_cast<long long>(crc)));
  __m128i x1 = load(data + 16);
  __m128i x2 = load(data + 32);
  __m128i x3 = load(data + 48);
  data += 64;
  size -= 64;
  const __m128i k512 = constant(kBy512);
  for (; size >= 64; data += 64, size -= 64) {
    x0 = fold(x0, load(data), k512);
    x1 = fold(x1, load(data + 16), k512);
    x2 = fold(x2, load(data + 32), k512);
    x3 = fold(x3, load(data + 48), k512);
  }
  const __m128i k128 = constant(kBy128);
  const __m128i last = fold(fold(fold(x0, x1, k128), x2, k128), x3, k128);
  std::byte rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), last);
  return crc64_portable(crc64_portable(0, rest, sizeof(rest)), data, size);
}

}  // namespace outcrop::digest
