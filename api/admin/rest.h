// What all routes under /v1 share: the bearer token, JSON answers, bounded bodies.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::size_t kMaxAdminBody = 64 << 10;

http::Response answer_json(int status, std::string body);
/// {"error": why}
http::Response complain(int status, std::string_view why);
/// The status that fits the code; the detail goes to the client.
http::Response complain(const Error& error);
/// Empty: the request has the token. Else the 401. An empty token lets nobody in.
std::optional<http::Response> refuse_stranger(std::string_view token, const http::Request& request);
/// Empty: more than kMaxAdminBody, or the client broke off.
Async<std::optional<std::string>> read_body(http::Request& request);
/// The path of a target, without its query.
std::string_view path_of(std::string_view target);
/// True for `route` itself and what is below it.
bool is_below(std::string_view target, std::string_view route);

}  // namespace outcrop::admin
