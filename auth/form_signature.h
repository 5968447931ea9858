// Signatures of IAM and STS requests: SigV4 over a form whose digest need not be in a header, for a
// service that is not S3. Blocks nothing; any thread.
#pragma once
#include <expected>
#include <string_view>

#include "auth/authenticator.h"

namespace outcrop::auth {

/// `service` is what the credential scope must name, `body` the whole body. Never anonymous: a
/// request without a signature in its Authorization header is refused.
std::expected<Authentication, AuthFailure> authenticate_form(const KeyStore& keys,
                                                             const Clock& clock,
                                                             const http::Request& request,
                                                             std::string_view service,
                                                             std::string_view body);

}  // namespace outcrop::auth
