#include "storage/digest/crc.h"

#include <isa-l/crc.h>

#include "storage/digest/cpu_features.h"
#include "storage/digest/crc64_kernels.h"

namespace outcrop::digest {
namespace {

// crc32_iscsi takes an int.
constexpr std::size_t kIsalStepMax = std::size_t{1} << 30;

Crc64Kernel choose_crc64() {
#if defined(__x86_64__)
  if (cpu_features().vpclmul) {
    return crc64_vpclmul;
  }
  if (cpu_features().pclmul) {
    return crc64_pclmul;
  }
#endif
  return crc64_portable;
}

/// a * b modulo Poly over GF(2), all reflected: the top bit is x^0.
template <class U, U Poly>
constexpr U multiply(U a, U b) {
  U product = 0;
  for (U bit = U{1} << (sizeof(U) * 8 - 1); bit != 0; bit >>= 1) {
    if ((a & bit) != 0) {
      product ^= b;
    }
    b = (b & 1) != 0 ? (b >> 1) ^ Poly : b >> 1;
  }
  return product;
}

/// Appending n zero bytes multiplies a CRC by x^(8n); the inversions at both ends cancel out.
template <class U, U Poly>
constexpr U combine(U a, U b, std::uint64_t length_of_b) {
  constexpr U kOne = U{1} << (sizeof(U) * 8 - 1);
  U square = kOne >> 8;  // x^8, then its squares
  U shift = kOne;
  for (std::uint64_t n = length_of_b; n != 0; n >>= 1) {
    if ((n & 1) != 0) {
      shift = multiply<U, Poly>(shift, square);
    }
    square = multiply<U, Poly>(square, square);
  }
  return multiply<U, Poly>(shift, a) ^ b;
}

}  // namespace

std::uint32_t crc32(std::uint32_t crc, ConstBytes data) {
  return crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(data.data()), data.size());
}

std::uint32_t crc32c(std::uint32_t crc, ConstBytes data) {
  crc = ~crc;
  while (!data.empty()) {
    const ConstBytes step = data.first(std::min(data.size(), kIsalStepMax));
    // The library's prototype lacks a const; it only reads.
    auto* const bytes = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(step.data()));
    crc = crc32_iscsi(bytes, static_cast<int>(step.size()), crc);
    data = data.subspan(step.size());
  }
  return ~crc;
}

std::uint64_t crc64nvme(std::uint64_t crc, ConstBytes data) {
  static const Crc64Kernel kernel = choose_crc64();
  return ~kernel(~crc, data.data(), data.size());
}

std::uint32_t crc32_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) {
  return combine<std::uint32_t, 0xEDB88320>(a, b, length_of_b);
}

std::uint32_t crc32c_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) {
  return combine<std::uint32_t, 0x82F63B78>(a, b, length_of_b);
}

std::uint64_t crc64nvme_combine(std::uint64_t a, std::uint64_t b, std::uint64_t length_of_b) {
  return combine<std::uint64_t, kCrc64Poly>(a, b, length_of_b);
}

}  // namespace outcrop::digest
