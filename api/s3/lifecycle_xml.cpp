// The document of lifecycle rules: read, checked, and written as AWS does.
#include <algorithm>
#include <ctime>

#include "api/s3/headers.h"
#include "api/s3/lifecycle.h"
#include "api/s3/tags.h"
#include "api/s3/xml_document.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

std::unexpected<S3Error> malformed() { return fail(Code::malformed_xml); }
std::unexpected<S3Error> argument(std::string message) {
  return fail(Code::invalid_argument, std::move(message));
}

/// "2030-01-31", "2030-01-31T00:00:00Z", with a fraction or +00:00 too. Midnight only.
Outcome<std::int64_t> date_of(const pugi::xml_node& node) {
  S3_TRY(const std::string text, xml::text_of(node));
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%Y-%m-%d", &parts);
  if (end == nullptr) {
    return malformed();
  }
  std::string_view rest(end);
  if (!rest.empty()) {
    end = strptime(end, "T%H:%M:%S", &parts);
    if (end == nullptr) {
      return malformed();
    }
    rest = end;
    if (rest.starts_with('.')) {
      const auto digits = rest.find_first_not_of("0123456789", 1);
      rest.remove_prefix(std::min(digits, rest.size()));
    }
    if (rest != "Z" && rest != "+00:00") {
      return malformed();
    }
  }
  const int day = parts.tm_mday;
  const std::int64_t at = timegm(&parts);
  if (parts.tm_mday != day) {  // February 30
    return malformed();
  }
  if (at % kSecondsPerDay != 0) {
    return argument("'Date' must be at midnight GMT");
  }
  return at;
}

Outcome<std::uint64_t> days_of(const pugi::xml_node& node, std::string_view what) {
  S3_TRY(const std::string text, xml::text_of(node));
  const bool negative = text.starts_with('-');
  const auto days = parse_number(std::string_view(text).substr(negative ? 1 : 0));
  if (!days || *days > kMaxLifecycleDays) {
    return malformed();
  }
  if (negative || *days == 0) {
    return argument(std::string(what) + " must be a positive integer");
  }
  return *days;
}

Outcome<std::uint64_t> newer_of(const pugi::xml_node& node) {
  S3_TRY(const std::uint64_t count, xml::number_of(node));
  if (count == 0 || count > kMaxNewerVersions) {
    return argument(
        "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be from 1 to 100");
  }
  return count;
}

Outcome<bool> bool_of(const pugi::xml_node& node) {
  S3_TRY(const std::string text, xml::text_of(node));
  const bool yes = same_text(text, "true");
  return yes || same_text(text, "false") ? Outcome<bool>(yes) : malformed();
}

Outcome<std::string> prefix_of(const pugi::xml_node& node) {
  S3_TRY(std::string prefix, xml::text_of(node));
  if (prefix.size() > ns::kMaxKeyBytes) {
    return fail(Code::invalid_request, "The maximum size of a prefix is 1024.");
  }
  return prefix;
}

/// One field of a Filter, or of the And in it.
Outcome<> read_filter_field(std::string_view name,
                            const pugi::xml_node& node,
                            std::optional<std::string>& prefix,
                            LifecycleFilter& out) {
  if (name == "Prefix") {
    return xml::set_once(prefix, prefix_of(node));
  }
  if (name == "ObjectSizeGreaterThan") {
    return xml::set_once(out.larger, xml::number_of(node));
  }
  if (name == "ObjectSizeLessThan") {
    return xml::set_once(out.smaller, xml::number_of(node));
  }
  if (name != "Tag" || out.tags.size() > kMaxObjectTags) {
    return malformed();
  }
  S3_TRY(auto tag, parse_tag(node));
  out.tags.push_back(std::move(tag));
  return {};
}

/// Conditions that stand side by side without an And count as if they were in one: AWS has
/// MalformedXML for them, others take them, and no reading of them makes fewer objects go.
Outcome<LifecycleFilter> read_filter(const pugi::xml_node& filter) {
  LifecycleFilter out;
  std::optional<std::string> prefix;
  int fields = 0;
  bool together = false;
  const auto one = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    ++fields;
    if (name != "And") {
      return read_filter_field(name, node, prefix, out);
    }
    together = true;
    return xml::for_each_child(node, [&](std::string_view inner, const pugi::xml_node& field) {
      return read_filter_field(inner, field, prefix, out);
    });
  };
  S3_TRYV(xml::for_each_child(filter, one));
  const std::size_t conditions =
      (prefix ? 1u : 0u) + (out.larger ? 1u : 0u) + (out.smaller ? 1u : 0u) + out.tags.size();
  if (together && (fields > 1 || conditions < 2)) {
    return malformed();
  }
  if (out.larger && out.smaller && *out.larger >= *out.smaller) {
    return fail(Code::invalid_request,
                "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
  S3_TRY(out.tags, check_tags(std::move(out.tags), TagOwner::object));
  out.prefix = std::move(prefix).value_or("");
  return out;
}

Outcome<> read_expiration(const pugi::xml_node& node, LifecycleRule& rule) {
  const auto field = [&](std::string_view name, const pugi::xml_node& value) -> Outcome<> {
    if (name == "Days") {
      return xml::set_once(rule.days, days_of(value, "'Days' for Expiration action"));
    }
    if (name == "Date") {
      return xml::set_once(rule.date, date_of(value));
    }
    return name == "ExpiredObjectDeleteMarker" ? xml::set_once(rule.expired_marker, bool_of(value))
                                               : malformed();
  };
  S3_TRYV(xml::for_each_child(node, field));
  const int given = (rule.days ? 1 : 0) + (rule.date ? 1 : 0) + (rule.expired_marker ? 1 : 0);
  return given == 1 ? Outcome<>() : malformed();
}

Outcome<> read_noncurrent(const pugi::xml_node& node, LifecycleRule& rule) {
  const auto field = [&](std::string_view name, const pugi::xml_node& value) -> Outcome<> {
    if (name == "NoncurrentDays") {
      return xml::set_once(
          rule.noncurrent_days,
          days_of(value, "'NoncurrentDays' for NoncurrentVersionExpiration action"));
    }
    return name == "NewerNoncurrentVersions" ? xml::set_once(rule.newer_versions, newer_of(value))
                                             : malformed();
  };
  S3_TRYV(xml::for_each_child(node, field));
  return rule.noncurrent_days ? Outcome<>() : malformed();
}

Outcome<> read_abort(const pugi::xml_node& node, LifecycleRule& rule) {
  const auto field = [&](std::string_view name, const pugi::xml_node& value) -> Outcome<> {
    return name == "DaysAfterInitiation"
               ? xml::set_once(rule.abort_days, days_of(value,
                                                        "'DaysAfterInitiation' for "
                                                        "AbortIncompleteMultipartUpload action"))
               : malformed();
  };
  S3_TRYV(xml::for_each_child(node, field));
  return rule.abort_days ? Outcome<>() : malformed();
}

/// There are no other storage classes; but a mistake is told first, for AWS would tell it.
Outcome<> refuse_transition(std::string_view transition, const pugi::xml_node& node) {
  const auto field = [](std::string_view name, const pugi::xml_node& value) -> Outcome<> {
    if (name == "Date") {
      S3_TRYV(date_of(value));
    } else if (name == "StorageClass") {
      S3_TRYV(xml::text_of(value));
    } else if (name == "Days" || name == "NoncurrentDays" || name == "NewerNoncurrentVersions") {
      S3_TRYV(xml::number_of(value));
    } else {
      return malformed();
    }
    return {};
  };
  S3_TRYV(xml::for_each_child(node, field));
  return unsupported(transition);
}

Outcome<> check_rule(const LifecycleRule& rule) {
  if (rule.id.size() > kMaxLifecycleId) {
    return argument("ID length should not exceed allowed limit of 255");
  }
  if (!rule.about_versions() && !rule.abort_days) {
    return fail(Code::invalid_request, "At least one action needs to be specified in a rule.");
  }
  if (rule.newer_versions && rule.old_form) {
    return fail(Code::invalid_request, "NewerNoncurrentVersions needs a Filter element.");
  }
  const LifecycleFilter& f = rule.filter;
  if ((rule.abort_days || rule.expired_marker) && (!f.tags.empty() || f.larger || f.smaller)) {
    return fail(Code::invalid_request,
                std::string(rule.abort_days ? "AbortIncompleteMultipartUpload"
                                            : "ExpiredObjectDeleteMarker") +
                    " cannot be specified with " + (f.tags.empty() ? "Object Size." : "Tags."));
  }
  return {};
}

Outcome<LifecycleRule> read_rule(const pugi::xml_node& element) {
  LifecycleRule rule;
  std::optional<std::string> id, status, prefix;
  std::optional<LifecycleFilter> filter;
  const auto field = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name == "ID") {
      return xml::set_once(id, xml::text_of(node));
    }
    if (name == "Status") {
      return xml::set_once(status, xml::text_of(node));
    }
    if (name == "Prefix") {
      return xml::set_once(prefix, prefix_of(node));
    }
    if (name == "Filter") {
      return xml::set_once(filter, read_filter(node));
    }
    if (name == "Expiration" && !rule.expires() && !rule.expired_marker) {
      return read_expiration(node, rule);
    }
    if (name == "NoncurrentVersionExpiration" && !rule.noncurrent_days) {
      return read_noncurrent(node, rule);
    }
    if (name == "AbortIncompleteMultipartUpload") {
      return read_abort(node, rule);
    }
    const bool later = name == "Transition" || name == "NoncurrentVersionTransition";
    return later ? refuse_transition(name, node) : malformed();
  };
  S3_TRYV(xml::for_each_child(element, field));
  const bool known = status && (*status == "Enabled" || *status == "Disabled");
  if (!known || prefix.has_value() == filter.has_value()) {
    return malformed();
  }
  rule.id = std::move(id).value_or("");
  rule.enabled = *status == "Enabled";
  rule.old_form = prefix.has_value();
  rule.filter = filter ? *std::move(filter) : LifecycleFilter{*std::move(prefix), {}, {}, {}};
  S3_TRYV(check_rule(rule));
  return rule;
}

/// AWS makes names up for rules without one.
Outcome<> name_rules(LifecycleRules& rules) {
  std::vector<std::string_view> ids;
  for (const LifecycleRule& rule : rules) {
    if (!rule.id.empty()) {
      ids.push_back(rule.id);
    }
  }
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) {
    return argument("Rule ID must be unique. Found same ID for more than one rule");
  }
  std::size_t next = 1;
  std::vector<std::string> made;
  for (const LifecycleRule& rule : rules) {
    if (rule.id.empty()) {
      std::string name;
      do {
        name = "rule-" + std::to_string(next++);
      } while (std::ranges::binary_search(ids, std::string_view(name)));
      made.push_back(std::move(name));
    }
  }
  auto name = made.begin();
  for (LifecycleRule& rule : rules) {
    if (rule.id.empty()) {
      rule.id = std::move(*name++);
    }
  }
  return {};
}

void write_filter(XmlWriter& xml, const LifecycleFilter& f) {
  const std::size_t conditions =
      (f.prefix.empty() ? 0u : 1u) + (f.larger ? 1u : 0u) + (f.smaller ? 1u : 0u) + f.tags.size();
  xml.open("Filter");
  if (conditions > 1) {
    xml.open("And");
  }
  if (!f.prefix.empty() || conditions == 0) {
    xml.text("Prefix", f.prefix);
  }
  for (const auto& [key, value] : f.tags) {
    xml.open("Tag").text("Key", key).text("Value", value).close();
  }
  if (f.larger) {
    xml.number("ObjectSizeGreaterThan", *f.larger);
  }
  if (f.smaller) {
    xml.number("ObjectSizeLessThan", *f.smaller);
  }
  if (conditions > 1) {
    xml.close();
  }
  xml.close();
}

}  // namespace

Outcome<LifecycleRules> parse_lifecycle(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("LifecycleConfiguration"));
  LifecycleRules rules;
  const auto element = [&](std::string_view name, const pugi::xml_node& node) -> Outcome<> {
    if (name != "Rule" || rules.size() == kMaxLifecycleRules) {
      return malformed();
    }
    S3_TRY(LifecycleRule rule, read_rule(node));
    rules.push_back(std::move(rule));
    return {};
  };
  S3_TRYV(xml::for_each_child(root, element));
  if (rules.empty()) {
    return malformed();
  }
  S3_TRYV(name_rules(rules));
  return rules;
}

std::string lifecycle_document(const LifecycleRules& rules) {
  XmlWriter xml("LifecycleConfiguration");
  for (const LifecycleRule& rule : rules) {
    xml.open("Rule").text("ID", rule.id);
    if (rule.old_form) {
      xml.text("Prefix", rule.filter.prefix);
    } else {
      write_filter(xml, rule.filter);
    }
    xml.text("Status", rule.enabled ? "Enabled" : "Disabled");
    if (rule.days) {
      xml.open("Expiration").number("Days", *rule.days).close();
    } else if (rule.date) {
      xml.open("Expiration").text("Date", format_iso_seconds(*rule.date)).close();
    } else if (rule.expired_marker) {
      xml.open("Expiration").flag("ExpiredObjectDeleteMarker", *rule.expired_marker).close();
    }
    if (rule.noncurrent_days) {
      xml.open("NoncurrentVersionExpiration").number("NoncurrentDays", *rule.noncurrent_days);
      if (rule.newer_versions) {
        xml.number("NewerNoncurrentVersions", *rule.newer_versions);
      }
      xml.close();
    }
    if (rule.abort_days) {
      xml.open("AbortIncompleteMultipartUpload");
      xml.number("DaysAfterInitiation", *rule.abort_days).close();
    }
    xml.close();
  }
  return std::move(xml).take();
}

}  // namespace outcrop::s3
