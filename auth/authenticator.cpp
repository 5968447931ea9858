#include "auth/authenticator.h"

#include "auth/canonical.h"
#include "auth/claim.h"
#include "auth/crypto.h"
#include "auth/form_signature.h"
#include "auth/post_signature.h"
#include "auth/signing_key.h"

namespace outcrop::auth {
namespace {

/// Signs for access keys nobody has, so that a miss costs what a hit costs.
constexpr std::string_view kDummySecret = "no-such-access-key-no-such-access-key-40";

/// Reused by all requests of a thread: its strings keep their capacity (bounded by the size of a
/// request head), so the usual request allocates only its result.
struct Scratch {
  CanonicalQuery query;
  std::vector<std::string_view> header_names;
  std::string canonical, to_sign, signature;
  SigningKeyCache keys, dummy_keys;
};

Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

Checked<void> check_time(const Claim& claim, std::int64_t now, std::int64_t max_skew) {
  if (!claim.presigned) {
    if (claim.time < now - max_skew || claim.time > now + max_skew) {
      return refuse(AuthError::request_time_too_skewed,
                    "The difference between the request time and the current time is too large.");
    }
    return {};
  }
  if (claim.time > now + max_skew) {
    return refuse(AuthError::access_denied, "Request is not valid yet");
  }
  if (now > claim.time + claim.expires) {
    return refuse(AuthError::expired_presigned, "Request has expired");
  }
  return {};
}

void build_string_to_sign(const Claim& claim, Scratch& work) {
  work.to_sign.assign("AWS4-HMAC-SHA256\n");
  work.to_sign.append(claim.timestamp).push_back('\n');
  work.to_sign.append(claim.scope).push_back('\n');
  append_hex(sha256(work.canonical), work.to_sign);
}

/// Compares the signature with ours and says whose it is; fills `chunks` for bodies whose chunks
/// are signed in a chain.
Checked<Principal> verify(const http::Request& request,
                          const Claim& claim,
                          const KeyStore& keys,
                          std::int64_t now,
                          Scratch& work,
                          ChunkSigning* chunks) {
  work.canonical.clear();
  const SignedParts parts{claim.signed_headers, work.header_names, claim.payload_hash};
  const bool complete = append_canonical_request(request, work.query, parts, work.canonical);
  build_string_to_sign(claim, work);

  const std::optional<Credential> credential =
      claim.token ? keys.find_session(claim.access_key, *claim.token) : keys.find(claim.access_key);
  SigningKeyCache& cache = credential ? work.keys : work.dummy_keys;
  const SigningKeyId id{credential ? std::string_view(claim.access_key) : std::string_view{},
                        credential ? std::string_view(credential->secret_key) : kDummySecret,
                        claim.scope_date, claim.region};
  const bool cached = claim.service == "s3";
  const SigningKey* key = cached ? cache.find(id) : nullptr;
  SigningKey fresh;
  if (key == nullptr) {
    fresh = derive_signing_key(id.secret, id.date, id.region, claim.service);
  }
  const SigningKey& signing = key != nullptr ? *key : fresh;
  work.signature.clear();
  append_hex(signing.hmac.sign(work.to_sign), work.signature);
  const bool equal = equal_constant_time(work.signature, claim.signature);
  if (!credential && claim.token) {
    return refuse(AuthError::invalid_token,
                  "The provided token is malformed or otherwise invalid.");
  }
  if (!credential) {
    if (key == nullptr && cached) {
      work.dummy_keys.insert(id, fresh);
    }
    return refuse(AuthError::invalid_access_key_id,
                  "The AWS Access Key Id you provided does not exist in our records.");
  }
  if (!equal || !complete) {
    return std::unexpected(AuthFailure{AuthError::signature_does_not_match,
                                       std::string(kMismatchMessage), work.canonical,
                                       work.to_sign});
  }
  if (credential->expired) {
    return refuse(AuthError::expired_token, "The provided token has expired.");
  }
  if (chunks != nullptr) {
    *chunks = {signing.bytes, claim.signature, claim.timestamp, claim.scope};
  }
  if (key == nullptr && cached) {
    work.keys.insert(id, fresh);
  }
  note_use(*credential, now, claim.service);
  return Principal{claim.access_key, credential->root, credential->identity};
}

Checked<PayloadForm> allowed_payload(const http::Request& request,
                                     std::string_view content_sha256,
                                     const AuthConfig& config) {
  const Checked<PayloadForm> form = payload_form(content_sha256);
  const bool has_body = request.method == "PUT" || request.method == "POST";
  if (form && has_body && !request.secure && !config.allow_unsigned_payload_over_http &&
      (*form == PayloadForm::unsigned_payload ||
       *form == PayloadForm::streaming_unsigned_trailer)) {
    return refuse(AuthError::access_denied,
                  "An unsigned payload is accepted over TLS only: use https, or sign the payload.");
  }
  return form;
}

void set_payload(PayloadForm form, std::string_view content_sha256, Authentication& out) {
  out.payload = form;
  if (form == PayloadForm::sha256) {
    out.payload_sha256 = content_sha256;
    for (char& c : out.payload_sha256) {
      c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
}

bool chunks_are_signed(PayloadForm form) {
  return form == PayloadForm::streaming_signed || form == PayloadForm::streaming_signed_trailer;
}

Checked<Authentication> anonymous(const http::Request& request,
                                  const SecurityHeaders& headers,
                                  const AuthConfig& config) {
  Authentication result;
  const std::string_view content = headers.content_sha256.value_or("UNSIGNED-PAYLOAD");
  const Checked<PayloadForm> form = allowed_payload(request, content, config);
  if (!form) {
    return std::unexpected(form.error());
  }
  if (chunks_are_signed(*form)) {
    return refuse(AuthError::missing_security_header,
                  "A payload signed in chunks needs a signed request: the Authorization header is "
                  "missing.");
  }
  set_payload(*form, content, result);
  return result;
}

Checked<Authentication> signed_request(const http::Request& request,
                                       const Claim& claim,
                                       Scratch& work,
                                       const KeyStore& keys,
                                       std::int64_t now,
                                       const AuthConfig& config) {
  const Checked<PayloadForm> form = allowed_payload(request, claim.payload_hash, config);
  if (!form) {
    return std::unexpected(form.error());
  }
  if (Checked<void> done = check_signed_headers(request, claim, work.header_names); !done) {
    return std::unexpected(std::move(done).error());
  }
  if (Checked<void> done = check_time(claim, now, config.max_skew_seconds); !done) {
    return std::unexpected(std::move(done).error());
  }
  Authentication result;
  if (chunks_are_signed(*form)) {
    result.chunks.emplace();
  }
  Checked<Principal> principal =
      verify(request, claim, keys, now, work, result.chunks ? &*result.chunks : nullptr);
  if (!principal) {
    return std::unexpected(std::move(principal).error());
  }
  result.principal = *std::move(principal);
  result.presigned = claim.presigned;
  set_payload(*form, claim.payload_hash, result);
  return result;
}

}  // namespace

Authenticator::Authenticator(const KeyStore& keys, const Clock& clock, AuthConfig config)
    : x_keys(keys), x_clock(clock), x_config(config) {}

Authenticator::~Authenticator() = default;

std::expected<Authentication, AuthFailure> Authenticator::authenticate(
    const http::Request& request) const {
  Scratch& work = scratch();
  const SecurityHeaders headers = scan_headers(request);
  if (!work.query.parse(request.target)) {
    return refuse(AuthError::authorization_query_parameters_error,
                  "Couldn't parse the specified URI.");
  }
  if (headers.repeated) {
    return refuse(AuthError::authorization_header_malformed,
                  "The header " + std::string(*headers.repeated) + " must be given once.");
  }
  Claim claim;
  claim.may_lack_region = x_config.s3_without_region;
  Checked<void> parsed;
  switch (find_credentials(headers, work.query)) {
    case CredentialSource::none:
      return anonymous(request, headers, x_config);
    case CredentialSource::conflict:
      return refuse(AuthError::credentials_conflict,
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                    "Signature query string parameter or the Authorization header should be "
                    "specified");
    case CredentialSource::signature_v2:
      return refuse(AuthError::unsupported_signature_version, std::string(kOnlyVersion4));
    case CredentialSource::unsupported:
      return refuse(AuthError::unsupported_signature_version, "Unsupported Authorization Type");
    case CredentialSource::header:
      parsed = parse_header_claim(headers, claim);
      break;
    case CredentialSource::query:
      parsed = parse_query_claim(headers, work.query, claim);
      break;
  }
  if (!parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  const std::int64_t now = x_clock.wall_ns() / 1'000'000'000;
  return signed_request(request, claim, work, x_keys, now, x_config);
}

std::expected<Principal, AuthFailure> Authenticator::authenticate_post(
    const PostSignature& form) const {
  if (form.version == SignatureVersion::v2 && !x_config.signature_v2_forms) {
    return refuse(AuthError::unsupported_signature_version, std::string(kOnlyVersion4));
  }
  return auth::authenticate_post(x_keys, form, x_clock.wall_ns() / 1'000'000'000);
}

std::expected<Authentication, AuthFailure> authenticate_form(const KeyStore& keys,
                                                             const Clock& clock,
                                                             const http::Request& request,
                                                             std::string_view service,
                                                             std::string_view body) {
  Scratch& work = scratch();
  const SecurityHeaders headers = scan_headers(request);
  if (headers.repeated || !work.query.parse(request.target) ||
      find_credentials(headers, work.query) != CredentialSource::header) {
    return refuse(AuthError::authorization_header_malformed,
                  "The request must be signed once, in its Authorization header.");
  }
  Claim claim;
  claim.service = service;
  // IAM and STS are one for the whole server, and clients that know no region sign for the empty
  // one. It only tells endpoints apart: the signature covers it, whatever it is.
  claim.may_lack_region = true;
  claim.payload_hash = to_hex(sha256(body));
  if (Checked<void> parsed = parse_header_claim(headers, claim); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  if (Checked<void> done = check_signed_headers(request, claim, work.header_names); !done) {
    return std::unexpected(std::move(done).error());
  }
  const std::int64_t now = clock.wall_ns() / 1'000'000'000;
  if (Checked<void> done = check_time(claim, now, AuthConfig{}.max_skew_seconds); !done) {
    return std::unexpected(std::move(done).error());
  }
  Checked<Principal> principal = verify(request, claim, keys, now, work, nullptr);
  if (!principal) {
    return std::unexpected(std::move(principal).error());
  }
  Authentication result;
  result.principal = *std::move(principal);
  set_payload(PayloadForm::sha256, claim.payload_hash, result);
  return result;
}

}  // namespace outcrop::auth
