#include "api/iam/lists.h"

#include <algorithm>
#include <charconv>
#include <ranges>

namespace outcrop::iam {
namespace {

using identity::Checked;

std::unexpected<identity::IamError> invalid(std::string message) {
  return identity::refuse(identity::IamCode::validation, std::move(message));
}

/// The number at the beginning, of which there is one way to write it; 0: there is none.
std::size_t take_number(std::string_view& text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || text.front() == '0') {
    return 0;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return index;
}

}  // namespace

Checked<std::vector<std::string>> list_of(const Form& form, std::string_view name) {
  const std::string stem = std::string(name) + ".member.";
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const auto& [parameter, value] : form.parameters()) {
    if (!parameter.starts_with(stem)) {
      continue;
    }
    std::string_view rest = std::string_view(parameter).substr(stem.size());
    const std::size_t index = take_number(rest);
    if (index == 0 || !rest.empty()) {
      return invalid(parameter + " is not numbered.");
    }
    found.emplace_back(index, value);
  }
  std::ranges::sort(found);
  std::vector<std::string> out;
  std::ranges::move(found | std::views::values, std::back_inserter(out));
  return out;
}

Checked<std::vector<Structure>> structures_of(const Form& form,
                                              std::string_view name,
                                              std::string_view fields) {
  const std::string stem = std::string(name) + ".member.";
  std::map<std::size_t, Structure> found;
  for (const auto& [parameter, value] : form.parameters()) {
    if (!parameter.starts_with(stem)) {
      continue;
    }
    std::string_view rest = std::string_view(parameter).substr(stem.size());
    const std::size_t index = take_number(rest);
    if (index == 0 || !rest.starts_with('.')) {
      return invalid(parameter + " is not numbered.");
    }
    rest.remove_prefix(1);
    const std::string list(rest.substr(0, rest.find('.') + 1));
    if (!has_word(fields, rest) && (list.empty() || !has_word(fields, list))) {
      return invalid(parameter + " is no parameter of this action.");
    }
    found[index].emplace(rest, value);
  }
  std::vector<Structure> out;
  std::ranges::move(found | std::views::values, std::back_inserter(out));
  return out;
}

Checked<identity::Tags> tags_of(const Form& form) {
  const auto structures = structures_of(form, "Tags", "Key Value");
  if (!structures) {
    return std::unexpected(structures.error());
  }
  std::vector<std::pair<std::string, std::string>> list;
  for (const Structure& one : *structures) {
    const auto key = one.find("Key"), value = one.find("Value");
    if (key == one.end() || value == one.end()) {
      return invalid("A tag has a Key and a Value.");
    }
    list.emplace_back(key->second, value->second);
  }
  return identity::make_tags(list);
}

bool has_word(std::string_view words, std::string_view word) {
  return std::ranges::any_of(words | std::views::split(' '),
                             [&](auto&& part) { return std::string_view(part) == word; });
}

}  // namespace outcrop::iam
