#include "api/admin/token_routes.h"

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

Async<http::Response> create(const TokenSource& source, http::Request& request) {
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  co_return answer_with(201, co_await source.create(*std::move(body)));
}

Async<http::Response> revoke(const TokenSource& source, const http::Request& request) {
  const std::optional<std::string> rest = rest_of(request.target, kTokensRoute);
  if (!rest || rest->size() < 2) {
    co_return complain(400, "expected DELETE /v1/tokens/ID");
  }
  const Result<void> revoked = co_await source.revoke(rest->substr(1));
  co_return revoked ? gone() : complain(revoked.error());
}

}  // namespace

Async<http::Response> serve_tokens(const TokenSource& source, http::Request& request) {
  const bool all = path_of(request.target) == kTokensRoute;
  if (all && request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (all && request.method == "POST") {
    co_return co_await create(source, request);
  }
  if (!all && request.method == "DELETE") {
    co_return co_await revoke(source, request);
  }
  http::Response r = complain(405, all ? "GET and POST only" : "DELETE only");
  r.set("Allow", all ? "GET, POST" : "DELETE");
  co_return r;
}

}  // namespace outcrop::admin
