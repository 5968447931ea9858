#include "server/config_toml.h"

#include <algorithm>

namespace outcrop::server {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({swap, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::unexpected<Error> at_line(const std::string& file,
                               std::uint32_t line,
                               std::string_view key,
                               std::string_view what) {
  std::string text = file + ":" + std::to_string(line) + ": ";
  if (!key.empty()) {
    text.append(key).append(": ");
  }
  text.append(what);
  // Keys in quotes may hold anything; a message stays one line.
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return fail(Errc::config, std::move(text));
}

std::optional<ConfigValue> value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* n = node.as_integer()) {
    return n->get();
  }
  if (const auto* b = node.as_boolean()) {
    return b->get();
  }
  if (const auto* array = node.as_array()) {
    std::vector<std::string> list;
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        return std::nullopt;
      }
      list.push_back(item.as_string()->get());
    }
    return list;
  }
  return std::nullopt;
}

}  // namespace outcrop::server
