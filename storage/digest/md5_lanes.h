// MD5 of many streams at once. MD5 cannot be sped up within one stream (each step needs the one
// before), but vector lanes hash 8, 16 or 32 streams in the time of three.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "storage/base/bytes.h"

namespace outcrop::digest {

using Md5Value = std::array<std::byte, 16>;

/// A running MD5: a plain value, copy it to fork the stream. Default-constructed: nothing hashed.
struct Md5State {
  std::array<std::uint32_t, 4> words{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::uint64_t length = 0;             ///< bytes so far
  std::array<std::byte, 64> partial{};  ///< the first length % 64 bytes of the open block
};

/// One stream, at once, with OpenSSL's scalar code.
void md5_update(Md5State& state, ConstBytes data);
Md5Value md5_value(const Md5State& state);

struct Md5Lane {
  Md5State* state;  ///< a state may be in one lane only
  ConstBytes data;
};

enum class Md5Kernel { scalar, interleaved, avx2, avx512 };

/// The fastest kernel of this processor.
Md5Kernel best_md5_kernel();
bool md5_kernel_supported(Md5Kernel kernel);
/// How many streams one pass of the kernel takes at best.
unsigned md5_lanes_of(Md5Kernel kernel);

/// md5_update() for every lane. Lengths may differ: lanes that end early are replaced by others,
/// and the last few are done one by one where that is faster.
void md5_update_lanes(std::span<const Md5Lane> lanes, Md5Kernel kernel = best_md5_kernel());

}  // namespace outcrop::digest
