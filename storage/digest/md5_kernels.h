// The MD5 block functions behind md5_lanes.h: one body over vectors of N lanes, compiled once per
// instruction set. Private to this folder.
#pragma once
#include <cstddef>
#include <cstdint>

namespace outcrop::digest {

inline constexpr unsigned kMd5LanesMax = 32;

/// Hashes `blocks` blocks of 64 bytes of each lane; words[lane] points at its four state words.
using Md5Blocks = void (*)(std::uint32_t* const* words,
                           const std::byte* const* data,
                           std::size_t blocks);

void md5_blocks_x2(std::uint32_t* const* words, const std::byte* const* data, std::size_t blocks);
#if defined(__x86_64__)
void md5_blocks_avx2_x8(std::uint32_t* const* words,
                        const std::byte* const* data,
                        std::size_t blocks);
void md5_blocks_avx2_x16(std::uint32_t* const* words,
                         const std::byte* const* data,
                         std::size_t blocks);
void md5_blocks_avx512_x16(std::uint32_t* const* words,
                           const std::byte* const* data,
                           std::size_t blocks);
void md5_blocks_avx512_x32(std::uint32_t* const* words,
                           const std::byte* const* data,
                           std::size_t blocks);
#endif

}  // namespace outcrop::digest
