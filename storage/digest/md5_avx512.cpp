// MD5 of 16 or 32 streams at once with AVX-512.
#include <immintrin.h>

#include "storage/digest/md5_body.h"

namespace outcrop::digest {
namespace {

struct Avx512 {
  using Word = __m512i;
  static constexpr int kLanes = 16;

  static OUTCROP_INLINE Word set(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
  static OUTCROP_INLINE Word add(Word a, Word b) { return _mm512_add_epi32(a, b); }
  // The third argument of ternarylogic is the truth table of the round function.
  static OUTCROP_INLINE Word f(Word b, Word c, Word d) {
    return _mm512_ternarylogic_epi32(b, c, d, 0xCA);
  }
  static OUTCROP_INLINE Word g(Word b, Word c, Word d) {
    return _mm512_ternarylogic_epi32(b, c, d, 0xE4);
  }
  static OUTCROP_INLINE Word h(Word b, Word c, Word d) {
    return _mm512_ternarylogic_epi32(b, c, d, 0x96);
  }
  static OUTCROP_INLINE Word i(Word b, Word c, Word d) {
    return _mm512_ternarylogic_epi32(b, c, d, 0x39);
  }
  template <int S>
  static OUTCROP_INLINE Word rotate(Word a) {
    return _mm512_rol_epi32(a, S);
  }

  /// Transposes one 64-byte block of 16 lanes: out[i] holds word i of every lane.
  static OUTCROP_INLINE void load(const std::byte* const* data, std::size_t offset, Word* out) {
    Word row[16];
    Word t[16];
    for (int i = 0; i < 16; ++i) {
      row[i] = _mm512_loadu_si512(data[i] + offset);
    }
    for (int i = 0; i < 16; i += 4) {
      const Word a = _mm512_unpacklo_epi32(row[i], row[i + 1]);
      const Word b = _mm512_unpackhi_epi32(row[i], row[i + 1]);
      const Word c = _mm512_unpacklo_epi32(row[i + 2], row[i + 3]);
      const Word d = _mm512_unpackhi_epi32(row[i + 2], row[i + 3]);
      t[i] = _mm512_unpacklo_epi64(a, c);
      t[i + 1] = _mm512_unpackhi_epi64(a, c);
      t[i + 2] = _mm512_unpacklo_epi64(b, d);
      t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; ++i) {
      const Word a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
      const Word b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
      const Word c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
      const Word d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
      out[i] = _mm512_shuffle_i32x4(a, c, 0x88);
      out[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
      out[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
      out[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
  }

  static Word gather(std::uint32_t* const* words, int index) {
    alignas(64) std::uint32_t lanes[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = words[lane][index];
    }
    return _mm512_load_si512(lanes);
  }
  static void scatter(Word value, std::uint32_t* const* words, int index) {
    alignas(64) std::uint32_t lanes[kLanes];
    _mm512_store_si512(lanes, value);
    for (int lane = 0; lane < kLanes; ++lane) {
      words[lane][index] = lanes[lane];
    }
  }
};

}  // namespace

void md5_blocks_avx512_x16(std::uint32_t* const* words,
                           const std::byte* const* data,
                           std::size_t blocks) {
  Md5Body<Avx512, 1>::run(words, data, blocks);
}

void md5_blocks_avx512_x32(std::uint32_t* const* words,
                           const std::byte* const* data,
                           std::size_t blocks) {
  Md5Body<Avx512, 2>::run(words, data, blocks);
}

}  // namespace outcrop::digest
