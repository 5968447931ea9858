// Shared by the auth tests: a clock that stands still, request building, and a small signer.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "auth/authenticator.h"
#include "auth/key_store.h"
#include "storage/base/clock.h"

namespace outcrop::auth::test {

class FixedClock final : public Clock {
 public:
  explicit FixedClock(std::int64_t seconds) : x_seconds(seconds) {}
  std::int64_t wall_ns() const override { return x_seconds * 1'000'000'000; }
  std::int64_t steady_ns() const override { return 0; }
  void set(std::int64_t seconds) { x_seconds = seconds; }

 private:
  std::int64_t x_seconds;
};

/// The credential, date and region of AWS's documented examples.
inline const Credential kDocCredential{"AKIAIOSFODNN7EXAMPLE",
                                       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
inline constexpr std::int64_t kDocTime = 1369353600;  // 2013-05-24T00:00:00Z
inline constexpr std::string_view kDocStamp = "20130524T000000Z";
inline constexpr std::string_view kDocScope = "20130524/us-east-1/s3/aws4_request";
inline constexpr std::string_view kDocHost = "examplebucket.s3.amazonaws.com";

http::Request make_request(std::string method,
                           std::string target,
                           std::initializer_list<http::Header> headers);
void set_header(http::Request& request, std::string_view name, std::string value);
void drop_header(http::Request& request, std::string_view name);

/// Signs with the documented credential, date and region all headers present, by header or query.
/// Written apart from the product's canonicaliser: target and headers must be canonical already.
struct SignOptions {
  std::string payload = "UNSIGNED-PAYLOAD";
  std::string scope{kDocScope};
  std::string stamp{kDocStamp};
  std::string access_key = kDocCredential.access_key;
  std::string secret = kDocCredential.secret_key;
  std::string expires = "86400";
  std::vector<std::string> leave_unsigned;
};
void sign_by_header(http::Request& request, const SignOptions& options = {});
void sign_by_query(http::Request& request, const SignOptions& options = {});

/// Adds the signed headers that every header-signed request has.
http::Request signed_request(std::string method,
                             std::string target,
                             std::initializer_list<http::Header> headers = {},
                             const SignOptions& options = {});

/// An aws-chunked body of the chunks given, signed in a chain from `signing`.
struct ChunkedBody {
  std::vector<std::string> chunks;
  std::vector<http::Header> trailers;
  bool with_trailer = false;
};
std::string encode_signed(const ChunkSigning& signing, const ChunkedBody& body);
std::string encode_unsigned(const ChunkedBody& body);
ChunkSigning doc_chunk_signing();

std::string hmac_hex(std::string_view secret, std::string_view scope, std::string_view text);

}  // namespace outcrop::auth::test
