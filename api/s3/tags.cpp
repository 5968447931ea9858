#include "api/s3/tags.h"

#include <algorithm>

#include "api/s3/xml_document.h"
#include "api/s3/xml_out.h"
#include "auth/target.h"
#include "auth/uri.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kReserved = "aws:";

/// Letters, digits, blanks and "+-=._:/@"; of other scripts everything but control characters.
bool tag_text(std::string_view text) {
  constexpr std::string_view kSigns = " +-=._:/@";
  if (!auth::check_key(text)) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool control = c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if ((c < 0x80 && !letter && kSigns.find(text[i]) == kSigns.npos) || control) {
      return false;
    }
  }
  return true;
}

/// Of valid UTF-8: every sequence is one unit, those of four bytes are two.
std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    units += (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

}  // namespace

/// Tags are a set: they are kept by key.
Outcome<ns::StringPairs> check_tags(ns::StringPairs tags, TagOwner owner) {
  std::ranges::sort(tags);
  const bool object = owner == TagOwner::object;
  if (tags.size() > (object ? kMaxObjectTags : kMaxBucketTags)) {
    return fail(Code::too_many_tags, object ? "Object tags cannot be greater than 10"
                                            : "Bucket tag count cannot be greater than 50");
  }
  for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
    const auto& [key, value] = *tag;
    if (key.empty() || !tag_text(key) || utf16_units(key) > kMaxTagKey) {
      return fail(Code::invalid_tag, "The TagKey you have provided is invalid", {{"TagKey", key}});
    }
    if (!tag_text(value) || utf16_units(value) > kMaxTagValue) {
      return fail(Code::invalid_tag, "The TagValue you have provided is invalid",
                  {{"TagKey", key}, {"TagValue", value}});
    }
    if (key.starts_with(kReserved)) {
      return fail(Code::invalid_tag, "System tags cannot be added/updated by requester",
                  {{"TagKey", key}});
    }
    if (tag != tags.begin() && std::prev(tag)->first == key) {
      return fail(Code::invalid_tag, "Cannot provide multiple Tags with the same key",
                  {{"TagKey", key}});
    }
  }
  return tags;
}

Outcome<std::pair<std::string, std::string>> parse_tag(const pugi::xml_node& element) {
  std::optional<std::string> key, value;
  S3_TRYV(xml::for_each_child(element, [&](std::string_view name, const pugi::xml_node& field) {
    std::optional<std::string>* const slot = name == "Key"     ? &key
                                             : name == "Value" ? &value
                                                               : nullptr;
    return slot == nullptr ? Outcome<>(fail(Code::malformed_xml))
                           : xml::set_once(*slot, xml::text_of(field));
  }));
  if (!key || !value) {
    return fail(Code::malformed_xml);
  }
  return std::pair(*std::move(key), *std::move(value));
}

Outcome<ns::StringPairs> parse_tagging(std::string text, TagOwner owner) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("Tagging"));
  ns::StringPairs tags;
  int sets = 0;
  S3_TRYV(
      xml::for_each_child(root, [&](std::string_view name, const pugi::xml_node& set) -> Outcome<> {
        if (name != "TagSet" || ++sets > 1) {
          return Outcome<>(fail(Code::malformed_xml));
        }
        return xml::for_each_child(
            set, [&](std::string_view tag, const pugi::xml_node& element) -> Outcome<> {
              if (tag != "Tag") {
                return Outcome<>(fail(Code::malformed_xml));
              }
              S3_TRY(auto pair, parse_tag(element));
              if (tags.size() <= kMaxBucketTags) {  // one too many says so; no more is kept
                tags.push_back(std::move(pair));
              }
              return Outcome<>();
            });
      }));
  if (sets == 0) {
    return fail(Code::malformed_xml);
  }
  return check_tags(std::move(tags), owner);
}

Outcome<ns::StringPairs> parse_tagging_header(std::string_view text) {
  const auto refused = [&] {
    return bad_argument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
        "parameters without tag name duplicates.",
        "x-amz-tagging", std::string(text));
  };
  ns::StringPairs tags;
  for (std::string_view rest = text; !rest.empty();) {
    std::string one(rest.substr(0, rest.find('&')));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    if (one.empty()) {
      continue;
    }
    std::ranges::replace(one, '+', ' ');
    const auto equals = one.find('=');
    const std::string_view encoded(one);
    std::string key, value;
    if (!auth::uri_decode(encoded.substr(0, equals), key) ||
        (equals != one.npos && !auth::uri_decode(encoded.substr(equals + 1), value)) ||
        std::ranges::find(tags, key, &ns::StringPairs::value_type::first) != tags.end()) {
      return refused();
    }
    if (tags.size() <= kMaxObjectTags) {
      tags.emplace_back(std::move(key), std::move(value));
    }
  }
  return check_tags(std::move(tags), TagOwner::object);
}

std::string tagging_header(const ns::StringPairs& tags) {
  std::string out;
  for (const auto& [key, value] : tags) {
    out.append(out.empty() ? "" : "&");
    auth::uri_encode(key, auth::Slash::encode, out);
    out.push_back('=');
    auth::uri_encode(value, auth::Slash::encode, out);
  }
  return out;
}

std::string tagging_document(const ns::StringPairs& tags) {
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [key, value] : tags) {
    xml.open("Tag").text("Key", key).text("Value", value).close();
  }
  return std::move(xml).take();
}

}  // namespace outcrop::s3
