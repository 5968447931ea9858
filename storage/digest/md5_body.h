// RFC 1321 over vectors: included once by each kernel file, which defines the vector operations V
// {Word, kLanes, set, add, f, g, h, i, rotate, load, gather, scatter}. Everything here is static,
// so that code for wide instruction sets never leaves its file.
#pragma once
#include "storage/digest/md5_kernels.h"

namespace outcrop::digest {
namespace {

constexpr std::uint32_t kMd5Sine[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr int kMd5Shift[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

constexpr int md5_word_of(int step) {
  switch (step / 16) {
    case 0:
      return step;
    case 1:
      return (5 * step + 1) & 15;
    case 2:
      return (3 * step + 5) & 15;
    default:
      return (7 * step) & 15;
  }
}

#define OUTCROP_INLINE inline __attribute__((always_inline))

/// N vectors side by side: their chains are independent, which fills the pipeline.
template <class V, int N>
struct Md5Body {
  using Word = typename V::Word;

  template <int S>
  static OUTCROP_INLINE void step(
      Word* a, const Word* b, const Word* c, const Word* d, const Word (*w)[16]) {
    const Word sine = V::set(kMd5Sine[S]);
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      Word f;
      if constexpr (S < 16) {
        f = V::f(b[n], c[n], d[n]);
      } else if constexpr (S < 32) {
        f = V::g(b[n], c[n], d[n]);
      } else if constexpr (S < 48) {
        f = V::h(b[n], c[n], d[n]);
      } else {
        f = V::i(b[n], c[n], d[n]);
      }
      const Word sum = V::add(V::add(a[n], V::add(w[n][md5_word_of(S)], sine)), f);
      a[n] = V::add(V::template rotate<kMd5Shift[S / 16][S % 4]>(sum), b[n]);
    }
  }

  template <int S>
  static OUTCROP_INLINE void steps(Word* a, Word* b, Word* c, Word* d, const Word (*w)[16]) {
    if constexpr (S < 64) {
      step<S>(a, b, c, d, w);
      step<S + 1>(d, a, b, c, w);
      step<S + 2>(c, d, a, b, w);
      step<S + 3>(b, c, d, a, w);
      steps<S + 4>(a, b, c, d, w);
    }
  }

  static void run(std::uint32_t* const* words, const std::byte* const* data, std::size_t blocks) {
    Word state[4][N];
    for (int n = 0; n < N; ++n) {
      for (int i = 0; i < 4; ++i) {
        state[i][n] = V::gather(words + n * V::kLanes, i);
      }
    }
    for (std::size_t block = 0; block < blocks; ++block) {
      Word w[N][16];
      Word now[4][N];
      for (int n = 0; n < N; ++n) {
        V::load(data + n * V::kLanes, block * 64, w[n]);
        for (int i = 0; i < 4; ++i) {
          now[i][n] = state[i][n];
        }
      }
      steps<0>(now[0], now[1], now[2], now[3], w);
      for (int n = 0; n < N; ++n) {
        for (int i = 0; i < 4; ++i) {
          state[i][n] = V::add(state[i][n], now[i][n]);
        }
      }
    }
    for (int n = 0; n < N; ++n) {
      for (int i = 0; i < 4; ++i) {
        V::scatter(state[i][n], words + n * V::kLanes, i);
      }
    }
  }
};

}  // namespace
}  // namespace outcrop::digest
