// The three CRCs of the S3 API, incremental and combinable. Any thread.
#pragma once
#include <cstdint>

#include "storage/base/bytes.h"

namespace outcrop::digest {

// Start with 0 and feed the returned value back in: crc32(crc32(0, a), b) == crc32(0, a + b).
std::uint32_t crc32(std::uint32_t crc, ConstBytes data);      ///< zlib, PNG, Ethernet
std::uint32_t crc32c(std::uint32_t crc, ConstBytes data);     ///< Castagnoli: iSCSI, ext4
std::uint64_t crc64nvme(std::uint64_t crc, ConstBytes data);  ///< NVMe, "rocksoft"

// The CRC of a + b from the CRC of each and the length of b, in O(log length): the checksum of a
// multipart object without reading its parts again.
std::uint32_t crc32_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b);
std::uint32_t crc32c_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b);
std::uint64_t crc64nvme_combine(std::uint64_t a, std::uint64_t b, std::uint64_t length_of_b);

}  // namespace outcrop::digest
