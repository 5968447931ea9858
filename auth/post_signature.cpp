#include "auth/post_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "auth/amz_time.h"
#include "auth/claim.h"
#include "auth/crypto.h"
#include "auth/signing_key.h"
#include "storage/base/assert.h"

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

/// Base64 of the HMAC-SHA1.
std::string sign_version2(std::string_view secret, std::string_view policy) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  const bool signed_it = HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
                              reinterpret_cast<const unsigned char*>(policy.data()), policy.size(),
                              mac.data(), &size) != nullptr;
  OUTCROP_ASSERT(signed_it);
  std::array<unsigned char, 4 * (EVP_MAX_MD_SIZE / 3 + 1) + 1> text{};
  const int length = EVP_EncodeBlock(text.data(), mac.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

/// The decision is the same for both versions, and takes the same time for keys that there are not.
std::expected<Principal, AuthFailure> judge(const PostSignature& form,
                                            std::string_view access_key,
                                            const std::optional<Credential>& credential,
                                            bool equal) {
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
  return Principal{std::string(access_key), credential->root, credential->identity};
}

std::optional<Credential> find_key(const KeyStore& keys,
                                   const PostSignature& form,
                                   std::string_view access_key) {
  return form.token ? keys.find_session(access_key, *form.token) : keys.find(access_key);
}

}  // namespace

std::expected<Principal, AuthFailure> authenticate_post(const KeyStore& keys,
                                                        const PostSignature& form) {
  if (form.version2) {
    const std::optional<Credential> credential = find_key(keys, form, form.credential);
    const std::string expected = sign_version2(
        credential ? std::string_view(credential->secret_key) : kDummySecret, form.policy);
    return judge(form, form.credential, credential, equal_constant_time(expected, form.signature));
  }
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
  const std::optional<Credential> credential = find_key(keys, form, scope->access_key);
  const SigningKey key =
      derive_signing_key(credential ? std::string_view(credential->secret_key) : kDummySecret,
                         scope->date, scope->region);
  const bool equal = equal_constant_time(to_hex(key.hmac.sign(form.policy)), form.signature);
  return judge(form, scope->access_key, credential, equal);
}

}  // namespace outcrop::auth
