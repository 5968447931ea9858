// Who sent this request: AWS Signature Version 4 by header or presigned query, checked in full
// before any handler runs. Pure functions of the request, the clock and the key store; sans-IO.
// Sources: AWS "Signature Version 4 signing process", "Authenticating Requests (S3)".
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/http/message.h"
#include "auth/key_use.h"
#include "storage/base/clock.h"

namespace outcrop::auth {

/// Who an access key acts as, with its policies (auth/identity/identity.h). Immutable.
struct Identity;

/// Who the request acts as. Only authenticate() makes one; handlers take it by reference.
struct Principal {
  std::string access_key;  ///< empty: anonymous
  bool root = false;       ///< signed with the credential that the server was set up with
  /// Null: anonymous, or from a key store that has no identities.
  std::shared_ptr<const Identity> identity = {};
  bool anonymous() const { return access_key.empty(); }
};

struct Credential {
  std::string access_key, secret_key;
  bool root = false;  ///< the credential the server was set up with
  std::shared_ptr<const Identity> identity = {};
  bool expired = false;  ///< temporary, and its time is over
  /// Of keys that are not temporary; null: nobody asks. Valid until the thread's next call of the
  /// key store.
  KeyUse* use = nullptr;
};
/// For whoever has verified a signature.
inline void note_use(const Credential& credential,
                     std::int64_t now_seconds,
                     std::string_view service) {
  if (credential.use != nullptr) {
    credential.use->note(now_seconds, service);
  }
}

/// Looks up secrets by access key. Thread-safe.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual std::optional<Credential> find(std::string_view access_key) const = 0;
  /// Of temporary credentials, which come with a token. Empty: no token of ours for this key.
  virtual std::optional<Credential> find_session(std::string_view /*access_key*/,
                                                 std::string_view /*token*/) const {
    return std::nullopt;
  }
};

/// What a signature is of. Requests have version 4; forms of browsers may have version 2.
enum class SignatureVersion : std::uint8_t { v4, v2 };

/// x-amz-content-sha256, the five payload forms.
enum class PayloadForm : std::uint8_t {
  sha256,                     ///< hex digest of the body, to be verified before commit
  unsigned_payload,           ///< UNSIGNED-PAYLOAD
  streaming_signed,           ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  streaming_signed_trailer,   ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  streaming_unsigned_trailer  ///< STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

/// What the chunk-signature chain of a streaming body starts from.
struct ChunkSigning {
  std::array<std::uint8_t, 32> signing_key{};
  std::string seed_signature;  ///< hex
  std::string timestamp;       ///< x-amz-date, "20261121T000000Z"
  std::string scope;           ///< "20261121/us-east-1/s3/aws4_request"
};

struct Authentication {
  Principal principal;
  PayloadForm payload = PayloadForm::unsigned_payload;
  std::string payload_sha256;          ///< lower-case hex, for PayloadForm::sha256
  std::optional<ChunkSigning> chunks;  ///< for the signed streaming forms
  bool presigned = false;
  bool form = false;  ///< by the fields of a browser upload
  SignatureVersion version = SignatureVersion::v4;
};

/// Maps to the AWS error code of the same meaning in api/s3 (one table).
enum class AuthError : std::uint8_t {
  access_denied,
  invalid_access_key_id,
  signature_does_not_match,
  request_time_too_skewed,
  expired_presigned,
  authorization_header_malformed,
  authorization_query_parameters_error,
  missing_security_header,
  invalid_content_sha256,
  credentials_conflict,
  unsupported_signature_version,
  invalid_token,
  expired_token,
};

struct AuthFailure {
  AuthError code = AuthError::access_denied;
  std::string message;            ///< AWS's text for the client
  std::string canonical_request;  ///< for signature_does_not_match bodies, as AWS echoes them
  std::string string_to_sign;
  std::string headers_not_signed = {};  ///< names, for AWS's HeadersNotSigned element
};

struct PostSignature;

struct AuthConfig {
  bool allow_unsigned_payload_over_http = true;
  std::int64_t max_skew_seconds = 900;
  bool signature_v2_forms = false;  ///< browser uploads may be signed with version 2
  bool s3_without_region = false;   ///< signatures for S3 may name the empty region; AWS refuses it
};

class Authenticator {
 public:
  Authenticator(const KeyStore& keys, const Clock& clock, AuthConfig config);
  ~Authenticator();
  /// Of a browser upload, by the fields of its form.
  std::expected<Principal, AuthFailure> authenticate_post(const PostSignature& form) const;
  /// Thread-safe (one signing-key cache per thread).
  std::expected<Authentication, AuthFailure> authenticate(const http::Request& request) const;

 private:
  const KeyStore& x_keys;
  const Clock& x_clock;
  AuthConfig x_config;
};

}  // namespace outcrop::auth
