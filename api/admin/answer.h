// What the routes below /v1 share: JSON answers, errors as answers, bodies with a bound.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::size_t kMaxAdminBody = 64 << 10;

http::Response answer(int status, std::string json);
/// {"error": WHY}
http::Response complain(int status, std::string_view why);
/// The details of invalid_argument, not_found, already_exists and conflict go to the client.
http::Response complain(const Error& error);
/// A task's text with `status`, or its error.
http::Response answer_with(int status, Result<std::string> result);
http::Response gone();  ///< 204

/// Of a request target: without its query; and whether it is `route` or lies below it.
std::string_view path_of(std::string_view target);
bool below(std::string_view target, std::string_view route);
/// Behind `route`, percent-decoded; empty optional if that is broken.
std::optional<std::string> rest_of(std::string_view target, std::string_view route);

/// Empty: more than kMaxAdminBody, or the client broke off.
Async<std::optional<std::string>> read_body(http::Request& request);

}  // namespace outcrop::admin
