#include "api/admin/kms_key_routes.h"

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

Async<http::Response> serve_all(const KmsKeySource& source, http::Request& request) {
  if (request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (request.method == "POST") {
    std::optional<std::string> body = co_await read_body(request);
    if (!body) {
      co_return complain(413, "the body is too large, or did not come");
    }
    co_return answer_with(201, co_await source.create(*std::move(body)));
  }
  http::Response r = complain(405, "GET and POST /v1/kms-keys");
  r.set("Allow", "GET, POST");
  co_return r;
}

Async<http::Response> serve_one(const KmsKeySource& source,
                                http::Request& request,
                                std::string id) {
  if (request.method == "PATCH") {
    std::optional<std::string> body = co_await read_body(request);
    if (!body) {
      co_return complain(413, "the body is too large, or did not come");
    }
    co_return answer_with(200, co_await source.change(std::move(id), *std::move(body)));
  }
  if (request.method == "DELETE") {
    const Result<void> removed = co_await source.remove(std::move(id));
    co_return removed ? gone() : complain(removed.error());
  }
  http::Response r = complain(405, "PATCH and DELETE /v1/kms-keys/ID");
  r.set("Allow", "PATCH, DELETE");
  co_return r;
}

}  // namespace

Async<http::Response> serve_kms_keys(const KmsKeySource& source, http::Request& request) {
  if (path_of(request.target) == kKmsKeysRoute) {
    co_return co_await serve_all(source, request);
  }
  const std::optional<std::string> rest = rest_of(request.target, kKmsKeysRoute);
  if (!rest || rest->size() < 2) {
    co_return complain(400, "expected /v1/kms-keys/ID");
  }
  co_return co_await serve_one(source, request, rest->substr(1));
}

}  // namespace outcrop::admin
