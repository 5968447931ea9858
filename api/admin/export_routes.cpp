#include "api/admin/export_routes.h"

#include <charconv>

namespace outcrop::admin {
namespace {

constexpr std::string_view kRoute = "/v1/exports";

/// Percent-encoding; empty if it is broken.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    const std::string_view hex = text.substr(i + 1, 2);
    const auto [end, ec] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (hex.size() < 2 || ec != std::errc{} || end != hex.data() + 2) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

Async<http::Response> add(const ExportSource& source, http::Request& request) {
  std::optional<std::string> body = co_await read_body(request);
  if (!body) {
    co_return complain(413, "the body is too large, or did not come");
  }
  Result<std::string> added = co_await source.add(*std::move(body));
  co_return added ? answer_json(201, *std::move(added)) : complain(added.error());
}

Async<http::Response> remove(const ExportSource& source, std::string_view encoded) {
  const std::optional<std::string> path = decoded(encoded);
  if (!path || path->size() < 2) {
    co_return complain(400, "expected DELETE /v1/exports/PATH, like /v1/exports/datasets");
  }
  const Result<void> removed = co_await source.remove(*path);
  if (!removed) {
    co_return complain(removed.error());
  }
  http::Response gone;
  gone.status = 204;
  co_return gone;
}

}  // namespace

bool is_export_route(std::string_view target) { return is_below(target, kRoute); }

Async<http::Response> serve_exports(const ExportSource& source, http::Request& request) {
  if (std::optional<http::Response> refused = refuse_stranger(source.token, request)) {
    co_return *std::move(refused);
  }
  const std::string_view path = path_of(request.target);
  if (path == kRoute && request.method == "GET") {
    Result<std::string> list = co_await source.list();
    co_return list ? answer_json(200, *std::move(list)) : complain(list.error());
  }
  if (path == kRoute && request.method == "POST") {
    co_return co_await add(source, request);
  }
  if (path != kRoute && request.method == "DELETE") {
    co_return co_await remove(source, path.substr(kRoute.size()));
  }
  http::Response r = complain(405, "GET and POST /v1/exports, DELETE /v1/exports/PATH");
  r.set("Allow", path == kRoute ? "GET, POST" : "DELETE");
  co_return r;
}

}  // namespace outcrop::admin
