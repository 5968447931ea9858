// Digest: one running checksum of any S3 algorithm, and the names and texts around checksums.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/digest/algorithm.h"
#include "storage/digest/md5_lanes.h"

namespace outcrop::digest {

/// Bytes go in with update(); value() may be asked at any time and does not end the stream. A
/// plain value: copy it to fork the stream. One thread at a time.
class Digest {
 public:
  /// Algorithm::none gives an empty value().
  explicit Digest(Algorithm algorithm);

  void update(ConstBytes data);
  /// Raw bytes, CRCs big-endian: what Checksum::value and the base64 header value hold.
  std::string value() const;
  Algorithm algorithm() const { return x_algorithm; }

  static std::string of(Algorithm algorithm, ConstBytes data);

 private:
  /// A SHA_CTX or SHA256_CTX of OpenSSL, which stays out of our headers.
  struct ShaState {
    alignas(8) std::array<std::byte, 112> bytes;
  };
  Algorithm x_algorithm;
  std::variant<std::uint64_t, Md5State, ShaState> x_state;
};

/// Of the concatenation, from the values of both halves; CRCs only (invalid_argument otherwise).
Result<std::string> combine(Algorithm algorithm,
                            std::string_view a,
                            std::string_view b,
                            std::uint64_t length_of_b);

/// Length of value() in bytes.
std::size_t size_of(Algorithm algorithm);
/// "CRC32", "CRC64NVME", "SHA256"...; "" for none.
std::string_view name(Algorithm algorithm);
/// "x-amz-checksum-crc32"...; "" for none.
std::string_view header_name(Algorithm algorithm);
/// Case-insensitive; nullopt for names that are not ours.
std::optional<Algorithm> parse_name(std::string_view text);
std::optional<Algorithm> parse_header_name(std::string_view text);

}  // namespace outcrop::digest
