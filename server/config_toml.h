// TOML on its way into ConfigValue, and messages about it; private to config.
#pragma once
#include <toml++/toml.h>

#include <optional>
#include <string>

#include "server/config_values.h"

namespace outcrop::server {

/// "file:line: key: what"; one line whatever the key holds. Errc::config.
std::unexpected<Error> at_line(const std::string& file,
                               std::uint32_t line,
                               std::string_view key,
                               std::string_view what);
/// Empty: a kind of value that no key has.
std::optional<ConfigValue> value_of(const toml::node& node);
std::size_t edit_distance(std::string_view a, std::string_view b);

/// All [[auth.oidc]] tables, and what can be told of them at the end.
Result<void> read_oidc(Config& config, const toml::node& node, const std::string& file);
Result<void> finish_oidc(Config& config, const std::string& base);

/// All [[export]] tables.
Result<void> read_exports(Config& config, const toml::node& node, const std::string& file);

}  // namespace outcrop::server
