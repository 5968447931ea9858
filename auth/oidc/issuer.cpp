#include "auth/oidc/issuer.h"

#include <algorithm>
#include <charconv>

namespace outcrop::oidc {
namespace {

constexpr std::string_view kHttps = "https://", kHttp = "http://";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_host(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

bool is_v6(std::string_view text) {
  return text.contains(':') && text.find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
}

bool is_path(std::string_view path) {
  const bool plain = std::ranges::all_of(path, [](char c) {
    return is_alnum(c) || std::string_view("-._~/=+,@!$&'()*;:").contains(c);
  });
  return plain && !path.contains("/./") && !path.contains("/../") && !path.ends_with("/.") &&
         !path.ends_with("/..");
}

bool read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::optional<Url> split_url(std::string_view url) {
  Url out;
  out.tls = url.starts_with(kHttps);
  if (url.size() > kMaxUrl || (!out.tls && !url.starts_with(kHttp))) {
    return std::nullopt;
  }
  const std::string_view rest = name_of(url);
  out.authority = rest.substr(0, rest.find('/'));
  out.path = rest.substr(out.authority.size());
  out.port = out.tls ? 443 : 80;
  std::string_view host = out.authority;
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view port = end == std::string_view::npos ? "" : host.substr(end + bracketed);
  out.host = host.substr(bracketed, end == std::string_view::npos ? end : end - bracketed);
  if (!port.empty() && (port.front() != ':' || !read_port(port.substr(1), out.port))) {
    return std::nullopt;
  }
  const bool named = bracketed ? is_v6(out.host) : is_host(out.host);
  return named && is_path(out.path) ? std::optional(out) : std::nullopt;
}

std::string_view name_of(std::string_view url) {
  const std::size_t at = url.find("://");
  return at == std::string_view::npos ? url : url.substr(at + 3);
}

}  // namespace outcrop::oidc
