#include "auth/post_signature.h"

#include <array>

#include "auth/amz_time.h"
#include "auth/claim.h"
#include "auth/crypto.h"
#include "auth/signing_key.h"

namespace outcrop::auth {
namespace {

/// Signs for access keys nobody has, so that a miss costs what a hit costs.
constexpr std::string_view kDummySecret = "no-such-access-key-no-such-access-key-40";

struct Scope {
  std::string_view access_key, date, region;
};

/// "KEY/20261121/us-east-1/s3/aws4_request".
Checked<Scope> split_credential(std::string_view text) {
  std::array<std::string_view, 5> part;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const auto slash = text.find('/');
    part[i] = text.substr(0, slash);
    const bool last = i + 1 == part.size();
    if (part[i].empty() || (slash == text.npos) != last) {
      return refuse(AuthError::authorization_header_malformed,
                    "The x-amz-credential field is malformed; expecting "
                    "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    }
    text.remove_prefix(last ? text.size() : slash + 1);
  }
  if (part[3] != "s3" || part[4] != "aws4_request") {
    return refuse(AuthError::authorization_header_malformed,
                  "The x-amz-credential field must name the service s3 and end in aws4_request.");
  }
  return Scope{part[0], part[1], part[2]};
}

}  // namespace

std::expected<Principal, AuthFailure> authenticate_post(const KeyStore& keys,
                                                        const PostSignature& form,
                                                        std::int64_t now_seconds) {
  if (form.algorithm != "AWS4-HMAC-SHA256") {
    return refuse(AuthError::unsupported_signature_version,
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  }
  const Checked<Scope> scope = split_credential(form.credential);
  if (!scope) {
    return std::unexpected(scope.error());
  }
  if (!parse_amz_date(form.date) || form.date.substr(0, 8) != scope->date) {
    return refuse(AuthError::authorization_header_malformed,
                  "The x-amz-date field must be a date of the form yyyyMMdd'T'HHmmss'Z', of the "
                  "day that x-amz-credential names.");
  }
  const std::optional<Credential> credential =
      form.token ? keys.find_session(scope->access_key, *form.token) : keys.find(scope->access_key);
  const SigningKey key =
      derive_signing_key(credential ? std::string_view(credential->secret_key) : kDummySecret,
                         scope->date, scope->region);
  const bool equal = equal_constant_time(to_hex(key.hmac.sign(form.policy)), form.signature);
  if (!credential && form.token) {
    return refuse(AuthError::invalid_token,
                  "The provided token is malformed or otherwise invalid.");
  }
  if (!credential) {
    return refuse(AuthError::invalid_access_key_id,
                  "The AWS Access Key Id you provided does not exist in our records.");
  }
  if (!equal) {
    return std::unexpected(AuthFailure{AuthError::signature_does_not_match,
                                       std::string(kMismatchMessage),
                                       {},
                                       std::string(form.policy)});
  }
  if (credential->expired) {
    return refuse(AuthError::expired_token, "The provided token has expired.");
  }
  note_use(*credential, now_seconds, "s3");
  return Principal{std::string(scope->access_key), credential->root, credential->identity};
}

}  // namespace outcrop::auth
