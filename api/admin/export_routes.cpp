#include "api/admin/export_routes.h"

#include <openssl/crypto.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace outcrop::admin {
namespace {

constexpr std::string_view kRoute = "/v1/exports";

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

http::Response answer(int status, std::string body) {
  http::Response r;
  r.status = status;
  r.set("Content-Type", "application/json");
  r.set("Cache-Control", "no-store");
  r.body = std::move(body);
  return r;
}

http::Response complain(int status, std::string_view why) {
  return answer(status, boost::json::serialize(boost::json::object{{"error", why}}) + "\n");
}

http::Response complain(const Error& error) {
  switch (error.code()) {
    case Errc::invalid_argument:
      return complain(400, error.detail());
    case Errc::not_found:
      return complain(404, error.detail());
    case Errc::already_exists:
      return complain(409, error.detail());
    default:
      return complain(500, error.describe());
  }
}

bool authorized(const ExportSource& source, const http::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.header("authorization").value_or("");
  if (source.token.empty() || !given.starts_with(kScheme)) {
    return false;
  }
  const std::string_view token = given.substr(kScheme.size());
  return token.size() == source.token.size() &&
         CRYPTO_memcmp(token.data(), source.token.data(), token.size()) == 0;
}

/// Empty: more than kMaxAdminBody, or the client broke off.
Async<std::optional<std::string>> read_body(http::Request& request) {
  std::string all(kMaxAdminBody + 1, '\0');
  std::size_t size = 0;
  while (size < all.size()) {
    const Result<std::size_t> n = co_await request.body->read_some(
        MutBytes(reinterpret_cast<std::byte*>(all.data()) + size, all.size() - size));
    if (!n) {
      co_return std::nullopt;
    }
    if (*n == 0) {
      all.resize(size);
      co_return all;
    }
    size += *n;
  }
  co_return std::nullopt;
}

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
  co_return added ? answer(201, *std::move(added)) : complain(added.error());
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

bool is_export_route(std::string_view target) {
  const std::string_view path = path_of(target);
  return path == kRoute || (path.starts_with(kRoute) && path[kRoute.size()] == '/');
}

Async<http::Response> serve_exports(const ExportSource& source, http::Request& request) {
  if (!authorized(source, request)) {
    http::Response r = complain(401, "needs the admin token: Authorization: Bearer TOKEN");
    r.set("WWW-Authenticate", "Bearer");
    co_return r;
  }
  const std::string_view path = path_of(request.target);
  if (path == kRoute && request.method == "GET") {
    Result<std::string> list = co_await source.list();
    co_return list ? answer(200, *std::move(list)) : complain(list.error());
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
