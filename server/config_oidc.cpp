// [[auth.oidc]]: identity providers of the configuration.
#include <algorithm>
#include <array>
#include <filesystem>

#include "auth/identity/limits.h"
#include "auth/oidc/issuer.h"
#include "auth/policy/pattern.h"
#include "server/config_toml.h"

namespace outcrop::server {
namespace {

constexpr std::array<std::string_view, 4> kFields{"issuer", "client_ids", "jwks", "ca_file"};

bool is_url(std::string_view text) { return text.contains("://"); }

std::string unknown_field(std::string_view name) {
  const auto* const nearest = std::ranges::min_element(
      kFields, {}, [name](std::string_view known) { return edit_distance(name, known); });
  return "unknown key; did you mean " + std::string(*nearest) + "?";
}

std::optional<Expected> set_field(OidcProvider& out, std::string_view name, const ConfigValue& v) {
  if (name == "client_ids") {
    auto list = read_list(v, false);
    if (!list || list->empty() || list->size() > identity::kMaxClientIds ||
        std::ranges::any_of(
            *list, [](const std::string& id) { return id.size() > identity::kMaxClientId; })) {
      return "an array of 1 to " + std::to_string(identity::kMaxClientIds) +
             " strings of at most " + std::to_string(identity::kMaxClientId) + " characters";
    }
    out.client_ids = *std::move(list);
    return std::nullopt;
  }
  auto text = read_string(v);
  if (!text) {
    return std::move(text).error();
  }
  if (name == "issuer") {
    out.issuer = *std::move(text);
    return oidc::split_url(out.issuer) ? std::nullopt
                                       : std::optional<Expected>(
                                             "the URL that tokens have as \"iss\", like "
                                             "\"https://id.example.com/realms/edge\"");
  }
  if (name == "jwks") {
    out.jwks = *std::move(text);
    return !is_url(out.jwks) || oidc::split_url(out.jwks)
               ? std::nullopt
               : std::optional<Expected>("the path of a file, or an https:// URL");
  }
  out.ca_file = *std::move(text);
  return std::nullopt;
}

Result<OidcProvider> read_provider(const toml::table& table,
                                   std::uint32_t line,
                                   const std::string& file) {
  OidcProvider out;
  for (const auto& [key, node] : table) {
    const std::string name = "auth.oidc." + std::string(key.str());
    const std::uint32_t at = key.source().begin.line;
    if (std::ranges::count(kFields, key.str()) == 0) {
      return at_line(file, at, name, unknown_field(key.str()));
    }
    const std::optional<ConfigValue> value = value_of(node);
    const std::optional<Expected> expected =
        value ? set_field(out, key.str(), *value) : std::optional<Expected>("a single value");
    if (expected) {
      return at_line(file, at, name, "expected " + *expected);
    }
  }
  if (out.issuer.empty() || out.client_ids.empty()) {
    return at_line(file, line, "auth.oidc", "issuer and client_ids are needed");
  }
  return out;
}

}  // namespace

std::span<const std::string_view> oidc_fields() { return kFields; }

Result<void> read_oidc(Config& config, const toml::node& node, const std::string& file) {
  const toml::array* const tables = node.as_array();
  if (tables == nullptr || !tables->is_homogeneous(toml::node_type::table)) {
    return at_line(file, node.source().begin.line, "auth.oidc", "expected tables: [[auth.oidc]]");
  }
  for (const toml::node& item : *tables) {
    const std::uint32_t line = item.source().begin.line;
    TRY(OidcProvider one, read_provider(*item.as_table(), line, file));
    const bool twice = std::ranges::any_of(config.oidc, [&](const OidcProvider& other) {
      return policy::same_text(oidc::name_of(other.issuer), oidc::name_of(one.issuer));
    });
    if (twice || config.oidc.size() == identity::kMaxProviders) {
      return at_line(file, line, "auth.oidc.issuer",
                     twice ? "this provider is there already" : "too many providers");
    }
    config.oidc.push_back(std::move(one));
  }
  return ok();
}

Result<void> finish_oidc(Config& config, const std::string& base) {
  const auto plain = [](const std::string& url) { return url.starts_with("http://"); };
  const auto anchor = [&base](std::string& path) {
    if (!path.empty()) {
      path = (std::filesystem::path(base) / path).lexically_normal().string();
    }
  };
  for (OidcProvider& provider : config.oidc) {
    if (!config.oidc_plain_http && (plain(provider.issuer) || plain(provider.jwks))) {
      return fail(Errc::config, "auth.oidc: " + provider.issuer +
                                    ": needs https, or auth.oidc_plain_http for tests: whoever is "
                                    "on the way could give out keys of his own");
    }
    if (!is_url(provider.jwks)) {
      anchor(provider.jwks);
    }
    anchor(provider.ca_file);
  }
  if (config.oidc_refresh < std::chrono::seconds(1)) {
    return fail(Errc::config, "auth.oidc_refresh: must be at least \"1s\"");
  }
  return ok();
}

}  // namespace outcrop::server
