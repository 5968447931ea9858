#include "auth/policy/principal_names.h"

#include <vector>

#include "api/json/value.h"

namespace outcrop::policy {
namespace {

/// What encloses the place that the scan has reached.
struct Level {
  bool object = false;
  bool name_next = false;  ///< of an object: a string here is the name of a member
  std::string name{};      ///< of an object: the member that is read
};

/// The string literal at `at`, with its quotes.
std::string_view literal_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != '"') {
    end += text[end] == '\\' ? 2 : 1;
  }
  return text.substr(at, end + 1 - at);
}

std::string decoded(std::string_view literal) {
  const auto value = json::parse(literal, {});
  return value ? value->text : std::string();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    out.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
  }
  return out + "\"";
}

/// {"Principal": {"AWS": here}}, or in a list there.
bool is_name(const std::vector<Level>& levels) {
  const std::size_t depth = levels.size() - (!levels.empty() && !levels.back().object ? 1 : 0);
  if (depth < 2 || levels[depth - 1].name != "AWS") {
    return false;
  }
  const std::string& element = levels[depth - 2].name;
  return element == "Principal" || element == "NotPrincipal";
}

}  // namespace

std::string exchange_principals(
    std::string_view document,
    const std::function<std::optional<std::string>(std::string_view name)>& other) {
  std::string out;
  std::vector<Level> levels;
  for (std::size_t at = 0; at < document.size();) {
    const char c = document[at];
    if (c == '"') {
      const std::string_view literal = literal_at(document, at);
      at += literal.size();
      if (!levels.empty() && levels.back().name_next) {
        levels.back().name = decoded(literal);
        levels.back().name_next = false;
      } else if (is_name(levels)) {
        if (const auto instead = other(decoded(literal))) {
          out.append(quoted(*instead));
          continue;
        }
      }
      out.append(literal);
      continue;
    }
    if (c == '{' || c == '[') {
      levels.push_back({.object = c == '{', .name_next = c == '{'});
    } else if ((c == '}' || c == ']') && !levels.empty()) {
      levels.pop_back();
    } else if (c == ',' && !levels.empty()) {
      levels.back().name_next = levels.back().object;
    }
    out.push_back(c);
    ++at;
  }
  return out;
}

}  // namespace outcrop::policy
