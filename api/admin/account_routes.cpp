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

Async<http::Response> remove(const AccountSource& source, const http::Request& request) {
  const std::optional<std::string> rest = rest_of(request.target, kAccountsRoute);
  if (!rest || rest->size() < 2) {
    co_return complain(400, "expected DELETE /v1/accounts/ID");
  }
  const Result<void> removed = co_await source.remove(rest->substr(1));
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
  if (!all && request.method == "DELETE") {
    co_return co_await remove(source, request);
  }
  http::Response r = complain(405, all ? "GET and POST only" : "DELETE only");
  r.set("Allow", all ? "GET, POST" : "DELETE");
  co_return r;
}

}  // namespace outcrop::admin
