#include "auth/post_signature.h"

#include <array>

#include "auth/amz_time.h"
#include "auth/claim.h"
#include "auth/crypto.h"
#include "auth/signing_key.h"
#include "storage/digest/text.h"

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

/// Whom a form with this credential would be from.
struct Signer {
  std::string_view access_key;
  std::optional<Credential> credential;

  std::string_view secret() const { return credential ? credential->secret_key : kDummySecret; }
};

Signer find_signer(const KeyStore& keys, std::string_view access_key, const PostSignature& form) {
  return {access_key,
          form.token ? keys.find_session(access_key, *form.token) : keys.find(access_key)};
}

/// After the signature was computed, with whatever secret there was, so that all take as long.
std::expected<Principal, AuthFailure> judge(const Signer& signer,
                                            const PostSignature& form,
                                            bool equal,
                                            std::int64_t now_seconds) {
  if (!signer.credential && form.token) {
    return refuse(AuthError::invalid_token,
                  "The provided token is malformed or otherwise invalid.");
  }
  if (!signer.credential) {
    return refuse(AuthError::invalid_access_key_id,
                  "The AWS Access Key Id you provided does not exist in our records.");
  }
  if (!equal) {
    return std::unexpected(AuthFailure{AuthError::signature_does_not_match,
                                       std::string(kMismatchMessage),
                                       {},
                                       std::string(form.policy)});
  }
  if (signer.credential->expired) {
    return refuse(AuthError::expired_token, "The provided token has expired.");
  }
  note_use(*signer.credential, now_seconds, "s3");
  return Principal{std::string(signer.access_key), signer.credential->root,
                   signer.credential->identity};
}

std::expected<Principal, AuthFailure> authenticate_v2(const KeyStore& keys,
                                                      const PostSignature& form,
                                                      std::int64_t now_seconds) {
  const Signer signer = find_signer(keys, form.credential, form);
  const auto mac = hmac_sha1(signer.secret(), form.policy);
  const bool equal =
      equal_constant_time(digest::to_base64(std::as_bytes(std::span(mac))), form.signature);
  return judge(signer, form, equal, now_seconds);
}

std::expected<Principal, AuthFailure> authenticate_v4(const KeyStore& keys,
                                                      const PostSignature& form,
                                                      std::int64_t now_seconds) {
  if (form.algorithm != "AWS4-HMAC-SHA256") {
    return refuse(AuthError::unsupported_signature_version, std::string(kOnlyVersion4));
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
  const Signer signer = find_signer(keys, scope->access_key, form);
  const SigningKey key = derive_signing_key(signer.secret(), scope->date, scope->region);
  return judge(signer, form,
               equal_constant_time(to_hex(key.hmac.sign(form.policy)), form.signature),
               now_seconds);
}

}  // namespace

std::expected<Principal, AuthFailure> authenticate_post(const KeyStore& keys,
                                                        const PostSignature& form,
                                                        std::int64_t now_seconds) {
  return form.version == SignatureVersion::v2 ? authenticate_v2(keys, form, now_seconds)
                                              : authenticate_v4(keys, form, now_seconds);
}

}  // namespace outcrop::auth
