// CRC-64/NVME by folding four 512-bit registers: 256 bytes a step, as fast as memory.
#include <immintrin.h>

#include "storage/digest/crc64_kernels.h"

namespace outcrop::digest {
namespace {

constexpr std::size_t kStep = 256;
constexpr int kXor3 = 0x96;  // truth table of a ^ b ^ c

__m128i constant(Crc64Fold f) {
  return _mm_set_epi64x(static_cast<long long>(f.high), static_cast<long long>(f.low));
}

__m512i fold(__m512i from, __m512i onto, __m512i k) {
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(from, k, 0x00),
                                   _mm512_clmulepi64_epi128(from, k, 0x11), onto, kXor3);
}

__m128i fold(__m128i from, __m128i onto, __m128i k) {
  const __m128i low = _mm_clmulepi64_si128(from, k, 0x00);
  const __m128i high = _mm_clmulepi64_si128(from, k, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

}  // namespace

std::uint64_t crc64_vpclmul(std::uint64_t crc, const std::byte* data, std::size_t size) {
  if (size < kStep) {
    return crc64_pclmul(crc, data, size);
  }
  constexpr Crc64Fold kBy2048 = crc64_fold(2048);
  constexpr Crc64Fold kBy512 = crc64_fold(512);
  constexpr Crc64Fold kBy128 = crc64_fold(128);
  const __m128i start = _mm_set_epi64x(0, static_cast<long long>(crc));
  __m512i x0 = _mm512_xor_si512(_mm512_loadu_si512(data), _mm512_zextsi128_si512(start));
  __m512i x1 = _mm512_loadu_si512(data + 64);
  __m512i x2 = _mm512_loadu_si512(data + 128);
  __m512i x3 = _mm512_loadu_si512(data + 192);
  data += kStep;
  size -= kStep;
  const __m512i k2048 = _mm512_broadcast_i32x4(constant(kBy2048));
  for (; size >= kStep; data += kStep, size -= kStep) {
    x0 = fold(x0, _mm512_loadu_si512(data), k2048);
    x1 = fold(x1, _mm512_loadu_si512(data + 64), k2048);
    x2 = fold(x2, _mm512_loadu_si512(data + 128), k2048);
    x3 = fold(x3, _mm512_loadu_si512(data + 192), k2048);
  }
  const __m512i k512 = _mm512_broadcast_i32x4(constant(kBy512));
  const __m512i y = fold(fold(fold(x0, x1, k512), x2, k512), x3, k512);
  const __m128i k128 = constant(kBy128);
  __m128i z = fold(_mm512_extracti32x4_epi32(y, 0), _mm512_extracti32x4_epi32(y, 1), k128);
  z = fold(z, _mm512_extracti32x4_epi32(y, 2), k128);
  z = fold(z, _mm512_extracti32x4_epi32(y, 3), k128);
  std::byte rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), z);
  return crc64_pclmul(crc64_portable(0, rest, sizeof(rest)), data, size);
}

}  // namespace outcrop::digest
