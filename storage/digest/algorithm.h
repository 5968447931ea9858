// The checksum algorithms of the S3 API; numbers are on disk and never change.
#pragma once
#include <cstdint>
#include <string>

namespace outcrop::digest {

enum class Algorithm : std::uint8_t {
  none = 0,
  crc32 = 1,
  crc32c = 2,
  crc64nvme = 3,
  sha1 = 4,
  sha256 = 5,
  md5 = 6,
  sha512 = 7,
  xxhash64 = 8,
  xxhash3 = 9,  ///< XXH3 of 64 bits
  xxhash128 = 10,
};

/// COMPOSITE: a checksum of the parts' checksums ("value-N"); FULL_OBJECT: of the whole payload.
enum class ChecksumType : std::uint8_t { full_object = 0, composite = 1 };

struct Checksum {
  Algorithm algorithm = Algorithm::none;
  ChecksumType type = ChecksumType::full_object;
  std::string value;  ///< raw bytes, numbers big-endian, as AWS base64-encodes them
  bool operator==(const Checksum&) const = default;
};

}  // namespace outcrop::digest
