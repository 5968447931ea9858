#include "api/admin/bucket_routes.h"

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

/// Of one bucket.
Async<http::Response> serve_one(const BucketSource& source, http::Request& request) {
  const std::optional<std::string> rest = rest_of(request.target, kBucketsRoute);
  if (!rest || rest->size() < 2 || rest->find('/', 1) != std::string::npos) {
    co_return complain(400, "expected /v1/buckets/NAME");
  }
  if (request.method == "GET") {
    co_return answer_with(200, co_await source.show(rest->substr(1)));
  }
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  co_return answer_with(200, co_await source.change(rest->substr(1), *std::move(body)));
}

}  // namespace

Async<http::Response> serve_buckets(const BucketSource& source, http::Request& request) {
  const bool all = path_of(request.target) == kBucketsRoute;
  if (all && request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (!all && (request.method == "GET" || request.method == "PATCH")) {
    co_return co_await serve_one(source, request);
  }
  http::Response r = complain(405, all ? "GET only" : "GET and PATCH only");
  r.set("Allow", all ? "GET" : "GET, PATCH");
  co_return r;
}

}  // namespace outcrop::admin
