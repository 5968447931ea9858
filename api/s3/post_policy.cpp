#include "api/s3/post_policy.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "api/json/value.h"
#include "api/s3/headers.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

std::unexpected<S3Error> invalid(std::string_view why) {
  return fail(Code::invalid_policy_document, "Invalid Policy: " + std::string(why));
}
std::unexpected<S3Error> denied(std::string_view why) {
  return fail(Code::access_denied, "Invalid according to Policy: " + std::string(why));
}

/// "2007-12-01T12:00:00.000Z", "2007-12-01T12:00:00Z".
std::optional<std::int64_t> parse_expiration(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) {
    return std::nullopt;
  }
  std::string_view rest(end);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || digits > 9) {
      return std::nullopt;
    }
    rest.remove_prefix(digits);
  }
  return rest == "Z" ? std::optional<std::int64_t>(timegm(&parts)) : std::nullopt;
}

Outcome<> add_range(const json::Value& list, PostPolicy& out) {
  const auto number = [&](std::size_t i) {
    const json::Value& v = list.items[i];
    return v.kind == json::Kind::number || v.is_string() ? parse_number(v.text) : std::nullopt;
  };
  const auto least = number(1), most = number(2);
  if (!least || !most || *least > *most) {
    return invalid("Invalid 'content-length-range' condition.");
  }
  out.least = std::max(out.least, *least);
  out.most = std::min(out.most, *most);
  return {};
}

Outcome<> add_list(const json::Value& list, PostPolicy& out) {
  if (list.items.size() != 3 || !list.items[0].is_string()) {
    return invalid("Invalid Condition: a condition in a list has an operator and two operands.");
  }
  const std::string& op = list.items[0].text;
  if (same_text(op, "content-length-range")) {
    return add_range(list, out);
  }
  const bool equal = same_text(op, "eq");
  if (!equal && !same_text(op, "starts-with")) {
    return invalid("Unknown Condition operator: " + op);
  }
  const json::Value& field = list.items[1];
  if (!field.is_string() || !field.text.starts_with('$') || field.text.size() == 1 ||
      !list.items[2].is_string()) {
    return invalid("Invalid Condition: expecting [\"" + op + "\", \"$field\", \"value\"].");
  }
  out.conditions.push_back({equal ? PostCondition::Kind::equal : PostCondition::Kind::starts_with,
                            lower(std::string_view(field.text).substr(1)), list.items[2].text});
  return {};
}

Outcome<> add_condition(const json::Value& condition, PostPolicy& out) {
  if (condition.is_array()) {
    return add_list(condition, out);
  }
  if (!condition.is_object() || condition.members.size() != 1 ||
      condition.members[0].name.empty() || !condition.members[0].value.is_string()) {
    return invalid(
        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  }
  out.conditions.push_back({PostCondition::Kind::equal, lower(condition.members[0].name),
                            condition.members[0].value.text});
  return {};
}

std::string to_text(const PostCondition& c) {
  const bool equal = c.kind == PostCondition::Kind::equal;
  return std::string("[\"") + (equal ? "eq" : "starts-with") + "\", \"$" + c.field + "\", \"" +
         c.value + "\"]";
}

/// A Content-Type may be a list; each of it must begin so.
bool starts(const PostCondition& c, std::string_view value) {
  if (c.field != "content-type") {
    return value.starts_with(c.value);
  }
  for (;;) {
    const auto comma = value.find(',');
    if (!value.substr(0, comma).starts_with(c.value)) {
      return false;
    }
    if (comma == value.npos) {
      return true;
    }
    value.remove_prefix(comma + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  }
}

/// Fields that need no condition: they are the signature itself, or are made to be ignored.
bool free_field(std::string_view name) {
  constexpr std::array<std::string_view, 5> kFree{"policy", "x-amz-signature", "file",
                                                  "awsaccesskeyid", "signature"};
  return std::ranges::find(kFree, name) != kFree.end() || name.starts_with("x-ignore-");
}

}  // namespace

Outcome<PostPolicy> parse_post_policy(std::string_view base64) {
  const auto text = digest::from_base64(base64);
  if (!text) {
    return invalid("Invalid Base64.");
  }
  const auto document =
      json::parse(*text, {.bytes = kMaxFormBytes, .depth = 4, .values = 4 * kMaxPostConditions});
  if (!document || !document->is_object()) {
    return invalid("Invalid JSON.");
  }
  const json::Value* const expiration = document->find("expiration");
  const json::Value* const conditions = document->find("conditions");
  if (expiration == nullptr) {
    return invalid("Policy missing expiration.");
  }
  if (conditions == nullptr) {
    return invalid("Policy missing conditions.");
  }
  if (document->members.size() != 2) {
    return invalid("Unexpected: a policy has an expiration and conditions, each once.");
  }
  PostPolicy out;
  const auto expires = expiration->is_string() ? parse_expiration(expiration->text) : std::nullopt;
  if (!expires) {
    return invalid("Invalid 'expiration' value: '" + expiration->text + "'");
  }
  out.expires = *expires;
  if (!conditions->is_array() || conditions->items.size() > kMaxPostConditions) {
    return invalid("Invalid 'conditions' value: must be a list.");
  }
  for (const json::Value& condition : conditions->items) {
    S3_TRYV(add_condition(condition, out));
  }
  return out;
}

Outcome<> check_post_policy(const PostPolicy& policy,
                            const Form& form,
                            std::string_view bucket,
                            std::int64_t now_seconds) {
  if (now_seconds > policy.expires) {
    return denied("Policy expired.");
  }
  const auto value = [&](const std::string& field) {
    return field == "bucket" ? bucket : form.find(field).value_or("");
  };
  for (const PostCondition& c : policy.conditions) {
    const std::string_view is = value(c.field);
    if (c.kind == PostCondition::Kind::equal ? is != c.value : !starts(c, is)) {
      return denied("Policy Condition failed: " + to_text(c));
    }
  }
  const auto covered = [&](std::string_view name) {
    return free_field(name) || std::ranges::find(policy.conditions, name, &PostCondition::field) !=
                                   policy.conditions.end();
  };
  if (!covered("bucket")) {
    return denied("Extra input fields: bucket");
  }
  for (const FormField& field : form.fields) {
    if (!covered(field.name)) {
      return denied("Extra input fields: " + field.name);
    }
  }
  return {};
}

Outcome<> check_post_size(const PostPolicy& policy, std::uint64_t size, bool ended) {
  if (size > policy.most) {
    return fail(
        Code::entity_too_large, {},
        {{"ProposedSize", std::to_string(size)}, {"MaxSizeAllowed", std::to_string(policy.most)}});
  }
  if (ended && size < policy.least) {
    return fail(
        Code::entity_too_small, {},
        {{"ProposedSize", std::to_string(size)}, {"MinSizeAllowed", std::to_string(policy.least)}});
  }
  return {};
}

}  // namespace outcrop::s3
