// Digest: one running checksum of any S3 algorithm, and the names and texts around checksums.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/digest/algorithm.h"
#include "storage/digest/md5_lanes.h"
#include "storage/digest/xxh_kernels.h"

namespace outcrop::digest {

/// Bytes go in with update(); value() may be asked at any time and does not end the stream. A
/// plain value: copy it to fork the stream. One thread at a time.
class Digest {
 public:
  /// Algorithm::none gives an empty value().
  explicit Digest(Algorithm algorithm);

  void update(ConstBytes data);
  /// Raw bytes, numbers big-endian: what Checksum::value and the base64 header value hold.
  std::string value() const;
  Algorithm algorithm() const { return x_algorithm; }

  static std::string of(Algorithm algorithm, ConstBytes data);

 private:
  /// A SHA_CTX, SHA256_CTX or SHA512_CTX of OpenSSL, which stays out of our headers.
  struct ShaState {
    alignas(8) std::array<std::byte, 216> bytes;
  };
  /// On the heap: it is large, and aligned as frames of coroutines are not.
  struct Xxh3Stream {
    Xxh3Stream();
    Xxh3Stream(const Xxh3Stream& other);
    Xxh3Stream& operator=(const Xxh3Stream& other);
    Xxh3Stream(Xxh3Stream&&) = default;
    Xxh3Stream& operator=(Xxh3Stream&&) = default;
    ~Xxh3Stream() = default;
    std::unique_ptr<Xxh3State> state;  ///< null once moved from
  };
  Algorithm x_algorithm;
  std::variant<std::uint64_t, Md5State, ShaState, Xxh64State, Xxh3Stream> x_state;
};

/// All but none, in the order in which error messages name them.
inline constexpr std::array kAlgorithms{
    Algorithm::crc32,   Algorithm::crc32c,  Algorithm::crc64nvme, Algorithm::md5,
    Algorithm::sha1,    Algorithm::sha256,  Algorithm::sha512,    Algorithm::xxhash128,
    Algorithm::xxhash3, Algorithm::xxhash64};

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
