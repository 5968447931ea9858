#include <algorithm>

#include "server/config_toml.h"
#include "server/export_fields.h"

namespace outcrop::server {
namespace {

std::string unknown_field(std::string_view name) {
  std::string text = "unknown key; did you mean ";
  const auto names = export_fields();
  text.append(*std::ranges::min_element(
      names, {}, [name](std::string_view known) { return edit_distance(name, known); }));
  return text.append("?");
}

Result<nfs::Export> read_export(const toml::table& table,
                                std::uint32_t line,
                                const std::string& file) {
  nfs::Export out;
  for (const auto& [key, node] : table) {
    const std::string name = "export." + std::string(key.str());
    const std::uint32_t at = key.source().begin.line;
    if (std::ranges::count(export_fields(), key.str()) == 0) {
      return at_line(file, at, name, unknown_field(key.str()));
    }
    const std::optional<ConfigValue> value = value_of(node);
    const std::optional<Expected> expected = value ? set_export_field(out, key.str(), *value)
                                                   : std::optional<Expected>("a single value");
    if (expected) {
      return at_line(file, at, name, "expected " + *expected);
    }
  }
  if (const std::string complaint = finish_export(out); !complaint.empty()) {
    return at_line(file, line, "", "export." + complaint);
  }
  return out;
}

}  // namespace

Result<void> read_exports(Config& config, const toml::node& node, const std::string& file) {
  const toml::array* const tables = node.as_array();
  if (tables == nullptr || !tables->is_homogeneous(toml::node_type::table)) {
    return at_line(file, node.source().begin.line, "export", "expected tables: [[export]]");
  }
  nfs::ExportTable together;  // knows what two exports may not have in common
  for (const toml::node& item : *tables) {
    const std::uint32_t line = item.source().begin.line;
    TRY(nfs::Export one, read_export(*item.as_table(), line, file));
    if (const auto added = together.add(one); !added) {
      return at_line(file, line, "", "export." + std::string(added.error().detail()));
    }
    config.exports.push_back(std::move(one));
  }
  return ok();
}

}  // namespace outcrop::server
