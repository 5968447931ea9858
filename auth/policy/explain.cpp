#include "auth/policy/explain.h"

#include <algorithm>

#include "api/json/value.h"
#include "auth/policy/pattern.h"
#include "auth/policy/policy.h"

namespace outcrop::policy {
namespace {

constexpr json::Limits kLimits{
    .bytes = kMaxPolicyBytes, .depth = kMaxPolicyDepth, .values = kMaxPolicyValues};

/// The string literal at `at`, with its quotes.
std::string_view literal_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != '"') {
    end += text[end] == '\\' ? 2 : 1;
  }
  return text.substr(at, end + 1 - at);
}

/// Line and column of offsets that only grow.
class Places {
 public:
  explicit Places(std::string_view text) : x_text(text) {}
  Place at(std::size_t offset) {
    for (; x_offset < offset; ++x_offset) {
      const bool line = x_text[x_offset] == '\n';
      x_place = line ? Place{x_place.line + 1, 1} : Place{x_place.line, x_place.column + 1};
    }
    return x_place;
  }

 private:
  const std::string_view x_text;
  std::size_t x_offset = 0;
  Place x_place;
};

void add_key(std::string_view name, std::vector<std::string>& out) {
  if (std::ranges::none_of(out, [&](const std::string& one) { return same_text(one, name); })) {
    out.emplace_back(name);
  }
}

/// ${name} and ${name, 'default'}; not ${*}, ${?} and ${$}, which are characters.
void add_variables(std::string_view text, std::vector<std::string>& out) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at)) {
    at += 2;
    const std::size_t end = std::min(text.find('}', at), text.size());
    std::string_view name = text.substr(at, end - at);
    name = name.substr(0, name.find(','));
    const std::size_t last = name.find_last_not_of(' ');
    name = name.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (name.contains(':')) {
      add_key(name, out);
    }
  }
}

void add_values(const json::Value& value, bool variables, std::vector<std::string>& out) {
  if (variables && value.is_string()) {
    add_variables(value.text, out);
  }
  for (const json::Value& item : value.items) {
    add_values(item, variables, out);
  }
}

void add_statement(const json::Value& statement, bool variables, std::vector<std::string>& out) {
  for (const std::string_view element : {"Resource", "NotResource"}) {
    if (const json::Value* const resources = statement.find(element)) {
      add_values(*resources, variables, out);
    }
  }
  const json::Value* const conditions = statement.find("Condition");
  if (conditions == nullptr) {
    return;
  }
  for (const json::Member& line : conditions->members) {
    for (const json::Member& entry : line.value.members) {
      add_key(entry.name, out);
      add_values(entry.value, variables, out);
    }
  }
}

}  // namespace

std::vector<Span> statement_spans(std::string_view document) {
  std::vector<Span> out;
  std::string member;  // of the document, that is being read
  std::string levels;  // the brackets that enclose the place
  Places places(document);
  bool name_next = false;
  std::size_t behind = 0;  // the last bracket or comma of the list of statements
  const auto in_statements = [&] {
    return member == "Statement" && (levels == "{" || levels == "{[");
  };
  for (std::size_t at = 0; at < document.size(); ++at) {
    const char c = document[at];
    if (c == '"') {
      const std::string_view literal = literal_at(document, at);
      if (levels == "{" && name_next) {
        const auto name = json::parse(literal, {});
        member = name ? name->text : std::string();
        name_next = false;
      }
      at += literal.size() - 1;
    } else if (c == '{' || c == '[') {
      if (c == '{' && in_statements()) {
        out.push_back({places.at(levels == "{" ? at + 1 : behind), {}});
      }
      levels.push_back(c);
      name_next = levels == "{";
      behind = levels == "{[" ? at + 1 : behind;
    } else if ((c == '}' || c == ']') && !levels.empty()) {
      levels.pop_back();
      if (c == '}' && in_statements() && !out.empty()) {
        out.back().end = places.at(at + 1);
      }
    } else if (c == ',') {
      name_next = levels == "{";
      behind = levels == "{[" ? at + 1 : behind;
    }
  }
  return out;
}

std::vector<std::string> context_keys(std::string_view document) {
  std::vector<std::string> out;
  const auto tree = json::parse(document, kLimits);
  const json::Value* const statements = tree ? tree->find("Statement") : nullptr;
  if (statements == nullptr) {
    return out;
  }
  const json::Value* const version = tree->find("Version");
  const bool variables = version != nullptr && version->text == "2012-10-17";
  if (statements->is_object()) {
    add_statement(*statements, variables, out);
  }
  for (const json::Value& one : statements->items) {
    add_statement(one, variables, out);
  }
  return out;
}

}  // namespace outcrop::policy
