// The URL of an identity provider, as its tokens name it in `iss`, and what follows from it: its
// name in ARNs and condition keys. Pure. Source: OpenID Connect Core 1.0, sections 2 and 16.15.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::oidc {

inline constexpr std::size_t kMaxUrl = 255;

/// "https://HOST[:PORT][/PATH]" in its parts. Views into the text.
struct Url {
  std::string_view host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string_view authority;  ///< as written: for the Host header
  std::string_view path;       ///< from the slash on; empty: there is none
  bool tls = true;             ///< https
};
/// Empty: not such a URL. Query, fragment, user names, and dots as path segments are none.
std::optional<Url> split_url(std::string_view url);

/// Without the scheme: "HOST/PATH", what comes behind "oidc-provider/" in ARNs.
std::string_view name_of(std::string_view url);

}  // namespace outcrop::oidc
