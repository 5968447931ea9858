#include "api/admin/v1.h"

#include <algorithm>

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

struct Route {
  std::string_view path;
  std::uint8_t scope;  ///< for changes; reading also needs no more than read, unless it is full
  bool alone;          ///< there is nothing below it
  Async<http::Response> (*serve)(const V1Sources& sources, http::Request& request);
};

constexpr Route kRoutes[] = {
    {kExportsRoute, kScopeExports, false,
     [](const V1Sources& s, http::Request& r) { return serve_exports(s.exports, r); }},
    {kHandleKeyRoute, kScopeExports, true,
     [](const V1Sources& s, http::Request& r) { return serve_handle_key(s.exports, r); }},
    {kDrivesRoute, kScopeDrives, false,
     [](const V1Sources& s, http::Request& r) { return serve_drives(s.drives, r); }},
    {kTokensRoute, kScopeFull, false,
     [](const V1Sources& s, http::Request& r) { return serve_tokens(s.tokens, r); }},
    {kAccountsRoute, kScopeFull, false,
     [](const V1Sources& s, http::Request& r) { return serve_accounts(s.accounts, r); }},
    {kKmsKeysRoute, kScopeFull, false,
     [](const V1Sources& s, http::Request& r) { return serve_kms_keys(s.kms_keys, r); }},
    {kBucketsRoute, kScopeFull, false,
     [](const V1Sources& s, http::Request& r) { return serve_buckets(s.buckets, r); }},
};

const Route* find_route(std::string_view target) {
  const auto* const it = std::ranges::find_if(kRoutes, [&](const Route& r) {
    return r.alone ? path_of(target) == r.path : below(target, r.path);
  });
  return it == std::end(kRoutes) ? nullptr : it;
}

std::string_view name_of(std::uint8_t scope) {
  switch (scope) {
    case kScopeExports:
      return "exports";
    case kScopeDrives:
      return "drives";
    case kScopeRead:
      return "read";
    default:
      return "full";
  }
}

/// What stands behind "Bearer" (RFC 9110 section 11.1: in any case); empty: there is no such
/// header.
std::optional<std::string_view> bearer_token(const http::Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view given = request.header("authorization").value_or("");
  const bool bearer = given.size() > kScheme.size() &&
                      std::ranges::equal(given.substr(0, kScheme.size()), kScheme, {}, [](char c) {
                        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
                      });
  if (!bearer) {
    return std::nullopt;
  }
  const std::size_t token = given.find_first_not_of(' ', kScheme.size());
  return given.substr(std::min(token, given.size()));
}

http::Response ask_for_token(const http::Request& request) {
  const bool given = bearer_token(request).has_value();
  http::Response r = complain(401, given ? "the token is unknown, revoked or has ended"
                                         : "needs an admin token: Authorization: Bearer TOKEN");
  r.set("WWW-Authenticate", given ? "Bearer error=\"invalid_token\"" : "Bearer");
  return r;
}

bool allowed(const Caller& caller, const Route& route, const http::Request& request) {
  const bool read = request.method == "GET" && route.scope != kScopeFull;
  return caller.may(route.scope) || (read && caller.may(kScopeRead));
}

Async<http::Response> decide(const V1Sources& sources,
                             const std::optional<Caller>& caller,
                             http::Request& request) {
  if (!caller) {
    co_return ask_for_token(request);
  }
  const Route* const route = find_route(request.target);
  if (route == nullptr) {
    co_return complain(404, "no such resource; docs/admin-api.yaml has all of them");
  }
  if (!allowed(*caller, *route, request)) {
    co_return complain(403, "the token lacks the scope " + std::string(name_of(route->scope)));
  }
  co_return co_await route->serve(sources, request);
}

void audit_request(audit::Sink& sink,
                   const std::optional<Caller>& caller,
                   const http::Request& request,
                   int status) {
  const bool denied = status == 401 || status == 403;
  if (request.method == "GET" && !denied) {
    return;
  }
  const std::string code = std::to_string(status);
  const std::string action = "admin:" + request.method;
  std::string_view reason;
  if (denied) {
    reason = status == 401 ? "no valid token" : "the token lacks the scope";
  } else if (status < 300) {
    reason = "scope of the token";
  }
  sink.record({.protocol = "admin",
               .address = std::string_view(request.remote).substr(0, request.remote.rfind(':')),
               .identity = caller ? std::string_view(caller->id) : std::string_view(),
               .request = request.id,
               .action = action,
               .resource = request.target,
               .result = denied         ? audit::Decision::denied
                         : status < 300 ? audit::Decision::ok
                                        : audit::Decision::failed,
               .status = code,
               .reason = reason});
}

}  // namespace

bool is_v1(std::string_view target) { return below(target, "/v1"); }

std::optional<Caller> caller_of(const V1Sources& sources, const http::Request& request) {
  const std::optional<std::string_view> token = bearer_token(request);
  return token && sources.find_caller ? sources.find_caller(*token) : std::nullopt;
}

Async<http::Response> serve_v1(const V1Sources& sources, http::Request& request) {
  const std::optional<Caller> caller = caller_of(sources, request);
  http::Response response = co_await decide(sources, caller, request);
  if (sources.audit != nullptr) {
    audit_request(*sources.audit, caller, request, response.status);
  }
  co_return response;
}

}  // namespace outcrop::admin
