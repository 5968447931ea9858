// The fields of an export as operators write them, in [[export]] tables and in admin requests: one
// table, one set of rules. Private to server.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/nfs/export.h"
#include "server/config_values.h"

namespace outcrop::server {

/// Every field, in the order of conf/outcrop.toml.
std::span<const std::string_view> export_fields();

/// Puts a value into its place; what was expected instead, if it does not fit. `name` is a field.
std::optional<Expected> set_export_field(nfs::Export& e,
                                         std::string_view name,
                                         const ConfigValue& value);

/// After all fields are set: gives an export without a path its bucket's name. What is wrong, as
/// "field: why"; empty: nothing.
std::string finish_export(nfs::Export& e);

/// The other way round, every field; for files and replies.
ConfigValue export_field(const nfs::Export& e, std::string_view name);

}  // namespace outcrop::server
