#include "auth/identity/tags.h"

#include <algorithm>

#include "auth/policy/pattern.h"

namespace outcrop::identity {
namespace {

constexpr std::string_view kReserved = "aws:";

/// Letters, digits, blanks and "_.:/=+-@"; of other scripts everything but control characters.
bool tag_text(std::string_view text) {
  constexpr std::string_view kSigns = " _.:/=+-@";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool control =
        c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if ((c < 0x80 && !letter && !kSigns.contains(text[i])) || control) {
      return false;
    }
  }
  return true;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Checked<> check_key(std::string_view key) {
  if (key.empty() || characters(key) > kMaxTagKey || !tag_text(key)) {
    return refuse(IamCode::validation, "The key of a tag has between 1 and " +
                                           std::to_string(kMaxTagKey) +
                                           " letters, digits, blanks and _.:/=+-@");
  }
  if (policy::same_text(key.substr(0, kReserved.size()), kReserved)) {
    return refuse(IamCode::invalid_input,
                  "aws: prefixed tag key names are not allowed for external use.");
  }
  return {};
}

Checked<> check_count(std::size_t count) {
  return count <= kMaxTags
             ? Checked<>()
             : refuse(IamCode::validation, "A request has at most " + std::to_string(kMaxTags) +
                                               " tags or keys of tags.");
}

}  // namespace

bool NameOrder::operator()(std::string_view a, std::string_view b) const {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : +c; };
  return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
}

Checked<Tags> make_tags(const std::vector<std::pair<std::string, std::string>>& list) {
  if (auto fits = check_count(list.size()); !fits) {
    return std::unexpected(std::move(fits).error());
  }
  Tags out;
  for (const auto& [key, value] : list) {
    if (auto checked = check_key(key); !checked) {
      return std::unexpected(std::move(checked).error());
    }
    if (characters(value) > kMaxTagValue || !tag_text(value)) {
      return refuse(IamCode::validation, "The value of a tag has at most " +
                                             std::to_string(kMaxTagValue) +
                                             " letters, digits, blanks and _.:/=+-@");
    }
    if (!out.emplace(key, value).second) {
      return refuse(IamCode::invalid_input,
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
  }
  return out;
}

Checked<> check_tag_keys(const std::vector<std::string>& keys) {
  auto out = check_count(keys.size());
  for (std::size_t i = 0; i < keys.size() && out; ++i) {
    out = check_key(keys[i]);
  }
  return out;
}

Checked<TagsPtr> with_tags(const TagsPtr& tags, const Tags& more) {
  Tags out = tags_of(tags);
  for (const auto& [key, value] : more) {
    out.erase(key);  // with its case
    out.emplace(key, value);
  }
  if (out.size() > kMaxTags) {
    return refuse(IamCode::limit_exceeded, "The number of tags has reached the maximum limit of " +
                                               std::to_string(kMaxTags) + ".");
  }
  return keep_tags(std::move(out));
}

TagsPtr without_tags(const TagsPtr& tags, const std::vector<std::string>& keys) {
  Tags out = tags_of(tags);
  for (const std::string& key : keys) {
    out.erase(key);
  }
  return keep_tags(std::move(out));
}

TagsPtr keep_tags(Tags tags) {
  return tags.empty() ? nullptr : std::make_shared<const Tags>(std::move(tags));
}

const Tags& tags_of(const TagsPtr& tags) {
  static const Tags kNone;
  return tags ? *tags : kNone;
}

const std::string* find_tag(const TagsPtr& tags, std::string_view key) {
  const auto at = tags ? tags->find(key) : Tags::const_iterator();
  return tags && at != tags->end() ? &at->second : nullptr;
}

}  // namespace outcrop::identity
