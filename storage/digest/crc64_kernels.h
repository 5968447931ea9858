// CRC-64/NVME kernels behind crc.h, and the arithmetic they share. Private to this folder and its
// tests. The kernels work on the raw register: crc.cpp inverts before and after.
#pragma once
#include <cstddef>
#include <cstdint>

namespace outcrop::digest {

/// The NVMe polynomial 0xAD93D23594C93659, bit-reflected: bit 63 is x^0.
inline constexpr std::uint64_t kCrc64Poly = 0x9A6C9329AC4BC9B5;

/// x^n modulo the polynomial, reflected.
constexpr std::uint64_t crc64_x_to_the(unsigned n) {
  std::uint64_t r = std::uint64_t{1} << 63;
  for (; n > 0; --n) {
    r = (r & 1) != 0 ? (r >> 1) ^ kCrc64Poly : r >> 1;
  }
  return r;
}

/// Multipliers that move a 128-bit register `distance` bits forward in the message. A carry-less
/// product of reflected values is one bit short, hence the -1. The low half holds earlier bytes,
/// that is higher powers, and so goes 64 bits further.
struct Crc64Fold {
  std::uint64_t low;
  std::uint64_t high;
};
constexpr Crc64Fold crc64_fold(unsigned distance) {
  return {crc64_x_to_the(distance + 64 - 1), crc64_x_to_the(distance - 1)};
}

using Crc64Kernel = std::uint64_t (*)(std::uint64_t crc, const std::byte* data, std::size_t size);

std::uint64_t crc64_portable(std::uint64_t crc, const std::byte* data, std::size_t size);
#if defined(__x86_64__)
std::uint64_t crc64_pclmul(std::uint64_t crc, const std::byte* data, std::size_t size);
std::uint64_t crc64_vpclmul(std::uint64_t crc, const std::byte* data, std::size_t size);
#endif

}  // namespace outcrop::digest
