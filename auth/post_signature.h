// Signatures of browser uploads (POST Object): SigV4 over the policy of the form, in its fields,
// and Signature Version 2 where it is taken. When the form expires is the policy's business. Blocks
// nothing; any thread.
// Sources: Amazon S3 API Reference, "Authenticating requests in browser-based uploads using POST";
// Amazon S3 User Guide, "Browser-based uploads using POST (AWS signature version 2)".
#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include "auth/authenticator.h"

namespace outcrop::auth {

/// The fields of the form that say who filled it in. Borrowed.
struct PostSignature {
  SignatureVersion version = SignatureVersion::v4;
  std::string_view policy;  ///< base64, as sent: what is signed
  std::string_view algorithm, credential, date, signature;
  std::optional<std::string_view> token{};
};

/// Of version 2, `credential` is the access key, `signature` base64, and the rest unused. It is
/// SHA-1, and says neither when nor for which region and service it was made: whether to take it is
/// AuthConfig's to say, and Authenticator looks there.
std::expected<Principal, AuthFailure> authenticate_post(const KeyStore& keys,
                                                        const PostSignature& form,
                                                        std::int64_t now_seconds);

}  // namespace outcrop::auth
