// Signatures of browser uploads (POST Object): SigV4 over the policy of the form, in its fields.
// When the form expires is the policy's business. Blocks nothing; any thread.
// Source: Amazon S3 API Reference, "Authenticating requests in browser-based uploads using POST".
#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include "auth/authenticator.h"

namespace outcrop::auth {

/// The fields of the form that say who filled it in. Borrowed.
struct PostSignature {
  std::string_view policy;  ///< base64, as sent: what is signed
  std::string_view algorithm, credential, date, signature;
  std::optional<std::string_view> token{};
};

std::expected<Principal, AuthFailure> authenticate_post(const KeyStore& keys,
                                                        const PostSignature& form,
                                                        std::int64_t now_seconds);

}  // namespace outcrop::auth
