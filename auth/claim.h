// What a request says about its sender, before anything is verified: the parsed Authorization
// header or presigned query, and the rules that need no secret. Private to auth/.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "auth/authenticator.h"
#include "auth/canonical.h"

namespace outcrop::auth {

inline constexpr std::string_view kMismatchMessage =
    "The request signature we calculated does not match the signature you provided. Check your key "
    "and signing method.";

inline constexpr std::string_view kOnlyVersion4 =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";

template <class T>
using Checked = std::expected<T, AuthFailure>;

inline std::unexpected<AuthFailure> refuse(AuthError code, std::string message) {
  return std::unexpected(AuthFailure{code, std::move(message), {}, {}});
}

/// The headers that authentication reads, found in one pass.
struct SecurityHeaders {
  std::optional<std::string_view> host, authorization, date, amz_date, content_sha256, token;
  /// A header that must be unique and is not. x-amz-meta-* may repeat: it is joined with commas.
  std::optional<std::string_view> repeated;
};

SecurityHeaders scan_headers(const http::Request& request);

enum class CredentialSource { none, header, query, conflict, signature_v2, unsupported };
CredentialSource find_credentials(const SecurityHeaders& headers, const CanonicalQuery& query);

struct Claim {
  std::string_view service = "s3";  ///< that the scope must name
  bool may_lack_region = false;     ///< the scope may name the empty one
  std::string access_key;
  std::string scope;                    ///< "20130524/us-east-1/s3/aws4_request"
  std::string_view scope_date, region;  ///< inside scope
  std::string signed_headers;           ///< "host;x-amz-date"
  std::string signature;                ///< as sent; not checked for form
  std::string timestamp;                ///< "20130524T000000Z"
  std::int64_t time = 0;                ///< the same in seconds since the epoch
  std::int64_t expires = 0;             ///< presigned: seconds after `time`
  std::string payload_hash;             ///< x-amz-content-sha256 as signed
  std::optional<std::string> token;     ///< x-amz-security-token
  bool presigned = false;

  Claim() = default;
  Claim(const Claim&) = delete;  // scope_date and region point into scope
  Claim& operator=(const Claim&) = delete;
};

Checked<void> parse_header_claim(const SecurityHeaders& headers, Claim& claim);
Checked<void> parse_query_claim(const SecurityHeaders& headers,
                                const CanonicalQuery& query,
                                Claim& claim);

/// SignedHeaders: lower case, sorted, unique, with host and every x-amz-* header of the request.
/// `names` gets the split list.
Checked<void> check_signed_headers(const http::Request& request,
                                   const Claim& claim,
                                   std::vector<std::string_view>& names);

/// The payload form an x-amz-content-sha256 value stands for.
Checked<PayloadForm> payload_form(std::string_view content_sha256);

}  // namespace outcrop::auth
