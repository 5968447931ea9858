#include "api/admin/rest.h"

#include <openssl/crypto.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace outcrop::admin {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

bool is_below(std::string_view target, std::string_view route) {
  const std::string_view path = path_of(target);
  return path == route || (path.starts_with(route) && path[route.size()] == '/');
}

http::Response answer_json(int status, std::string body) {
  http::Response r;
  r.status = status;
  r.set("Content-Type", "application/json");
  r.set("Cache-Control", "no-store");
  r.body = std::move(body);
  return r;
}

http::Response complain(int status, std::string_view why) {
  return answer_json(status, boost::json::serialize(boost::json::object{{"error", why}}) + "\n");
}

http::Response complain(const Error& error) {
  switch (error.code()) {
    case Errc::invalid_argument:
      return complain(400, error.detail());
    case Errc::not_found:
      return complain(404, error.detail());
    case Errc::already_exists:
    case Errc::conflict:
      return complain(409, error.detail());
    case Errc::unavailable:
      return complain(503, error.describe());
    default:
      return complain(500, error.describe());
  }
}

std::optional<http::Response> refuse_stranger(std::string_view token,
                                              const http::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view header = request.header("authorization").value_or("");
  const std::string_view given =
      header.starts_with(kScheme) ? header.substr(kScheme.size()) : std::string_view();
  if (!token.empty() && given.size() == token.size() &&
      CRYPTO_memcmp(given.data(), token.data(), given.size()) == 0) {
    return std::nullopt;
  }
  http::Response r = complain(401, "needs the admin token: Authorization: Bearer TOKEN");
  r.set("WWW-Authenticate", "Bearer");
  return r;
}

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

}  // namespace outcrop::admin
