// MD5 of two interleaved streams without vectors: each fills the gaps in the other's dependency
// chain. The fallback on processors without AVX2.
#include <cstring>

#include "storage/digest/md5_body.h"

namespace outcrop::digest {
namespace {

struct Scalar {
  using Word = std::uint32_t;
  static constexpr int kLanes = 1;

  static OUTCROP_INLINE Word set(std::uint32_t x) { return x; }
  static OUTCROP_INLINE Word add(Word a, Word b) { return a + b; }
  static OUTCROP_INLINE Word f(Word b, Word c, Word d) { return d ^ (b & (c ^ d)); }
  static OUTCROP_INLINE Word g(Word b, Word c, Word d) { return c ^ (d & (b ^ c)); }
  static OUTCROP_INLINE Word h(Word b, Word c, Word d) { return b ^ c ^ d; }
  static OUTCROP_INLINE Word i(Word b, Word c, Word d) { return c ^ (b | ~d); }
  template <int S>
  static OUTCROP_INLINE Word rotate(Word a) {
    return a << S | a >> (32 - S);
  }
  static OUTCROP_INLINE void load(const std::byte* const* data, std::size_t offset, Word* out) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "MD5 words are little-endian");
    std::memcpy(out, data[0] + offset, 64);
  }
  static Word gather(std::uint32_t* const* words, int index) { return words[0][index]; }
  static void scatter(Word value, std::uint32_t* const* words, int index) {
    words[0][index] = value;
  }
};

}  // namespace

void md5_blocks_x2(std::uint32_t* const* words, const std::byte* const* data, std::size_t blocks) {
  Md5Body<Scalar, 2>::run(words, data, blocks);
}

}  // namespace outcrop::digest
