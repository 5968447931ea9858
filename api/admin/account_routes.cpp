#include "api/admin/account_routes.h"

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

Async<http::Response> create(const AccountSource& source, http::Request& request) {
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  co_return answer_with(201, co_await source.create(*std::move(body)));
}

/// /v1/accounts/ID, and below it /keys and /keys/KEY.
struct Path {
  std::string id{}, key{};
  bool keys = false;
};
std::optional<Path> path_below(std::string_view target) {
  constexpr std::string_view kKeys = "/keys";
  const std::optional<std::string> rest = rest_of(target, kAccountsRoute);
  if (!rest || rest->size() < 2) {
    return std::nullopt;
  }
  const std::size_t slash = rest->find('/', 1);
  Path out{.id = rest->substr(1, slash - 1)};
  if (slash == std::string::npos) {
    return out;
  }
  const std::string_view tail = std::string_view(*rest).substr(slash);
  out.keys = true;
  if (tail.size() > kKeys.size() + 1 && tail[kKeys.size()] == '/') {
    out.key = tail.substr(kKeys.size() + 1);
  }
  const bool good = tail.starts_with(kKeys) && (tail == kKeys || !out.key.empty()) &&
                    !out.id.empty() && !out.key.contains('/');
  return good ? std::optional(out) : std::nullopt;
}

http::Response not_allowed(std::string allow) {
  http::Response r = complain(405, allow + " only");
  r.set("Allow", std::move(allow));
  return r;
}

Async<http::Response> serve_account(const AccountSource& source,
                                    std::string id,
                                    http::Request& request) {
  if (request.method == "GET") {
    co_return answer_with(200, co_await source.show(std::move(id)));
  }
  if (request.method == "DELETE") {
    const Result<void> removed = co_await source.remove(std::move(id));
    co_return removed ? gone() : complain(removed.error());
  }
  if (request.method != "PATCH") {
    co_return not_allowed("GET, PATCH, DELETE");
  }
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  co_return answer_with(200, co_await source.change(std::move(id), *std::move(body)));
}

Async<http::Response> serve_keys(const AccountSource& source,
                                 Path path,
                                 const http::Request& request) {
  const bool makes_one = path.key.empty();
  if (request.method != (makes_one ? "POST" : "DELETE")) {
    co_return not_allowed(makes_one ? "POST" : "DELETE");
  }
  if (makes_one) {
    co_return answer_with(201, co_await source.create_key(std::move(path.id)));
  }
  const Result<void> removed = co_await source.remove_key(std::move(path.id), std::move(path.key));
  co_return removed ? gone() : complain(removed.error());
}

Async<http::Response> serve_one(const AccountSource& source, http::Request& request) {
  std::optional<Path> path = path_below(request.target);
  if (!path) {
    co_return complain(400, "expected /v1/accounts/ID, /v1/accounts/ID/keys or .../keys/KEY");
  }
  if (path->keys) {
    co_return co_await serve_keys(source, *std::move(path), request);
  }
  co_return co_await serve_account(source, std::move(path->id), request);
}

}  // namespace

Async<http::Response> serve_accounts(const AccountSource& source, http::Request& request) {
  const bool all = path_of(request.target) == kAccountsRoute;
  if (all && request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (all && request.method == "POST") {
    co_return co_await create(source, request);
  }
  if (!all) {
    co_return co_await serve_one(source, request);
  }
  co_return not_allowed("GET, POST");
}

}  // namespace outcrop::admin
