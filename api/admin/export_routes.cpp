#include "api/admin/export_routes.h"

#include "api/admin/answer.h"

namespace outcrop::admin {
namespace {

Async<http::Response> add(const ExportSource& source, http::Request& request) {
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  co_return answer_with(201, co_await source.add(*std::move(body)));
}

Async<http::Response> remove(const ExportSource& source, const http::Request& request) {
  const std::optional<std::string> path = rest_of(request.target, kExportsRoute);
  if (!path || path->size() < 2) {
    co_return complain(400, "expected DELETE /v1/exports/PATH, like /v1/exports/datasets");
  }
  const Result<void> removed = co_await source.remove(*path);
  co_return removed ? gone() : complain(removed.error());
}

}  // namespace

Async<http::Response> serve_exports(const ExportSource& source, http::Request& request) {
  const bool all = path_of(request.target) == kExportsRoute;
  if (all && request.method == "GET") {
    co_return answer_with(200, co_await source.list());
  }
  if (all && request.method == "POST") {
    co_return co_await add(source, request);
  }
  if (!all && request.method == "DELETE") {
    co_return co_await remove(source, request);
  }
  http::Response r = complain(405, all ? "GET and POST only" : "DELETE only");
  r.set("Allow", all ? "GET, POST" : "DELETE");
  co_return r;
}

Async<http::Response> serve_handle_key(const ExportSource& source, http::Request& request) {
  if (request.method != "POST") {
    http::Response r = complain(405, "POST only");
    r.set("Allow", "POST");
    co_return r;
  }
  const std::string_view query =
      std::string_view(request.target).substr(path_of(request.target).size());
  if (!query.empty() && query != "?force=true") {
    co_return complain(400, "expected no query, or ?force=true");
  }
  co_return answer_with(200, co_await source.rotate_key(!query.empty()));
}

}  // namespace outcrop::admin
