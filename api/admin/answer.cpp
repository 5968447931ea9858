#include "api/admin/answer.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace outcrop::admin {

http::Response answer(int status, std::string json) {
  http::Response r;
  r.status = status;
  r.set("Content-Type", "application/json");
  r.set("Cache-Control", "no-store");
  r.body = std::move(json);
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
    case Errc::conflict:
      return complain(409, error.detail());
    case Errc::unavailable:
      return complain(503, error.describe());
    default:
      return complain(500, error.describe());
  }
}

http::Response answer_with(int status, Result<std::string> result) {
  return result ? answer(status, *std::move(result)) : complain(result.error());
}

http::Response gone() {
  http::Response r;
  r.status = 204;
  return r;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

bool below(std::string_view target, std::string_view route) {
  const std::string_view path = path_of(target);
  return path == route || (path.starts_with(route) && path[route.size()] == '/');
}

std::optional<std::string> rest_of(std::string_view target, std::string_view route) {
  const std::string_view text = path_of(target).substr(route.size());
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
