// /v1/tokens of the admin API (docs/admin-api.yaml): tokens with scopes and an end. Behind v1.h.
#pragma once
#include <functional>
#include <string>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kTokensRoute = "/v1/tokens";

/// The functions may suspend; they take and give JSON text. Errors: invalid_argument (detail goes
/// to the client), not_found, conflict.
struct TokenSource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> create;  ///< the only time it is shown
  std::function<Task<>(std::string id)> revoke;
};

Async<http::Response> serve_tokens(const TokenSource& source, http::Request& request);

}  // namespace outcrop::admin
