// AWS Signature Version 4 for S3, as a client makes it: the signing key is prepared once a day.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/digest/hmac.h"

namespace outcrop::bench {

struct SignedHeader {
  std::string_view name;  ///< lower case
  std::string_view value;
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

class Signer {
 public:
  Signer(std::string access_key, std::string secret_key, std::string region);

  /// The time of the next requests. Cheap when it did not change.
  void set_time(std::int64_t unix_seconds);
  /// "20130524T000000Z": the value of x-amz-date.
  std::string_view timestamp() const { return x_timestamp; }

  /// Appends the value of the Authorization header to `out`. `path` is URI-encoded, `query`
  /// canonical (sorted, encoded, "name=" for empty values), `headers` sorted by name.
  void append_authorization(std::string& out,
                            std::string_view method,
                            std::string_view path,
                            std::string_view query,
                            std::span<const SignedHeader> headers,
                            std::string_view payload_hash);

 private:
  std::string x_access_key;
  std::string x_secret_key;
  std::string x_region;
  std::int64_t x_time = -1;
  std::string x_timestamp;
  std::string x_scope;  ///< date/region/s3/aws4_request
  std::optional<digest::HmacKey> x_key;
  std::string x_canonical;  ///< scratch
};

/// Percent-encodes everything but A-Z a-z 0-9 - . _ ~, and '/' unless `encode_slash`.
std::string uri_encode(std::string_view text, bool encode_slash);

}  // namespace outcrop::bench
