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

Async<http::Response> serve_one(const AccountSource& source, const http::Request& request) {
  const std::optional<Path> path = path_below(request.target);
  const bool makes_key = path && path->keys && path->key.empty();
  if (!path) {
    co_return complain(400, "expected /v1/accounts/ID, /v1/accounts/ID/keys or .../keys/KEY");
  }
  if (makes_key && request.method == "POST") {
    co_return answer_with(201, co_await source.create_key(path->id));
  }
  if (makes_key || request.method != "DELETE") {
    http::Response r = complain(405, makes_key ? "POST only" : "DELETE only");
    r.set("Allow", makes_key ? "POST" : "DELETE");
    co_return r;
  }
  const Result<void> removed = path->keys ? co_await source.remove_key(path->id, path->key)
                                          : co_await source.remove(path->id);
  co_return removed ? gone() : complain(removed.error());
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
  http::Response r = complain(405, "GET and POST only");
  r.set("Allow", "GET, POST");
  co_return r;
}

}  // namespace outcrop::admin
