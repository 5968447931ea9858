// MD5 of 8 or 16 streams at once with AVX2.
#include <immintrin.h>

#include "storage/digest/md5_body.h"

namespace outcrop::digest {
namespace {

struct Avx2 {
  using Word = __m256i;
  static constexpr int kLanes = 8;

  static OUTCROP_INLINE Word set(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
  static OUTCROP_INLINE Word add(Word a, Word b) { return _mm256_add_epi32(a, b); }
  static OUTCROP_INLINE Word f(Word b, Word c, Word d) {
    return _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d)));
  }
  static OUTCROP_INLINE Word g(Word b, Word c, Word d) {
    return _mm256_xor_si256(c, _mm256_and_si256(d, _mm256_xor_si256(b, c)));
  }
  static OUTCROP_INLINE Word h(Word b, Word c, Word d) {
    return _mm256_xor_si256(b, _mm256_xor_si256(c, d));
  }
  static OUTCROP_INLINE Word i(Word b, Word c, Word d) {
    return _mm256_xor_si256(c, _mm256_or_si256(b, _mm256_xor_si256(d, _mm256_set1_epi32(-1))));
  }
  template <int S>
  static OUTCROP_INLINE Word rotate(Word a) {
    return _mm256_or_si256(_mm256_slli_epi32(a, S), _mm256_srli_epi32(a, 32 - S));
  }

  /// Transposes one 64-byte block of 8 lanes, a half at a time: out[i] holds word i of every lane.
  static OUTCROP_INLINE void load(const std::byte* const* data, std::size_t offset, Word* out) {
    for (int half = 0; half < 2; ++half) {
      Word row[8];
      Word t[8];
      for (int i = 0; i < 8; ++i) {
        row[i] = _mm256_loadu_si256(reinterpret_cast<const Word*>(data[i] + offset + 32 * half));
      }
      for (int i = 0; i < 8; i += 4) {
        const Word a = _mm256_unpacklo_epi32(row[i], row[i + 1]);
        const Word b = _mm256_unpackhi_epi32(row[i], row[i + 1]);
        const Word c = _mm256_unpacklo_epi32(row[i + 2], row[i + 3]);
        const Word d = _mm256_unpackhi_epi32(row[i + 2], row[i + 3]);
        t[i] = _mm256_unpacklo_epi64(a, c);
        t[i + 1] = _mm256_unpackhi_epi64(a, c);
        t[i + 2] = _mm256_unpacklo_epi64(b, d);
        t[i + 3] = _mm256_unpackhi_epi64(b, d);
      }
      for (int i = 0; i < 4; ++i) {
        out[8 * half + i] = _mm256_permute2x128_si256(t[i], t[i + 4], 0x20);
        out[8 * half + i + 4] = _mm256_permute2x128_si256(t[i], t[i + 4], 0x31);
      }
    }
  }

  static Word gather(std::uint32_t* const* words, int index) {
    alignas(32) std::uint32_t lanes[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = words[lane][index];
    }
    return _mm256_load_si256(reinterpret_cast<const Word*>(lanes));
  }
  static void scatter(Word value, std::uint32_t* const* words, int index) {
    alignas(32) std::uint32_t lanes[kLanes];
    _mm256_store_si256(reinterpret_cast<Word*>(lanes), value);
    for (int lane = 0; lane < kLanes; ++lane) {
      words[lane][index] = lanes[lane];
    }
  }
};

}  // namespace

void md5_blocks_avx2_x8(std::uint32_t* const* words,
                        const std::byte* const* data,
                        std::size_t blocks) {
  Md5Body<Avx2, 1>::run(words, data, blocks);
}

void md5_blocks_avx2_x16(std::uint32_t* const* words,
                         const std::byte* const* data,
                         std::size_t blocks) {
  Md5Body<Avx2, 2>::run(words, data, blocks);
}

}  // namespace outcrop::digest
