// One configuration value on its way from TOML or the environment into Config; private to config.
#pragma once
#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "server/config.h"

namespace outcrop::server {

/// From the environment everything is a string; readers accept what a string can mean for them.
using ConfigValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;
/// What was expected, for the message.
using Expected = std::string;

std::expected<std::string, Expected> read_string(const ConfigValue& value);
std::expected<bool, Expected> read_bool(const ConfigValue& value, bool from_env);
std::expected<std::uint64_t, Expected> read_count(const ConfigValue& value,
                                                  bool from_env,
                                                  std::uint64_t least,
                                                  std::uint64_t most);
/// "auto" is 0.
std::expected<std::uint64_t, Expected> read_size_or_auto(const ConfigValue& value,
                                                         std::uint64_t least);
std::expected<std::uint64_t, Expected> read_size(const ConfigValue& value, std::uint64_t least);
std::expected<std::chrono::seconds, Expected> read_seconds(const ConfigValue& value);
/// In seconds, hours or days; up to ten years.
std::expected<std::chrono::seconds, Expected> read_period(const ConfigValue& value);
std::expected<HostPort, Expected> read_host_port(const ConfigValue& value);
/// A single string counts as a list of one; from the environment it is split at commas.
std::expected<std::vector<std::string>, Expected> read_list(const ConfigValue& value,
                                                            bool from_env);

}  // namespace outcrop::server
