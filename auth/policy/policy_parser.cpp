#include "auth/policy/policy_parser.h"

#include <algorithm>
#include <array>

#include "api/json/value.h"

namespace outcrop::policy {
namespace {

template <class T = void>
using Checked = std::expected<T, std::string>;
using Texts = std::vector<std::string>;

std::unexpected<std::string> refuse(std::string why) {
  return std::unexpected<std::string>(std::move(why));
}

constexpr std::string_view kOldVersion = "2008-10-17", kNewVersion = "2012-10-17";
constexpr std::size_t kMaxSid = 512;
constexpr std::array<std::string_view, 3> kVendors{"s3", "iam", "sts"};

class NoContext final : public Context {
 public:
  void values(const KeyName&, Values&) const override {}
};

/// A string, or a list of strings.
Checked<Texts> texts_of(const json::Value& value) {
  Texts out;
  if (value.is_string()) {
    out.push_back(value.text);
    return out;
  }
  if (!value.is_array()) {
    return refuse("Invalid policy syntax.");
  }
  for (const json::Value& item : value.items) {
    if (!item.is_string()) {
      return refuse("Invalid policy syntax.");
    }
    out.push_back(item.text);
  }
  return out;
}

/// Values of a condition may also be numbers and booleans.
Checked<Texts> condition_texts(const json::Value& value) {
  const auto scalar = [](const json::Value& v) {
    return v.is_string() || v.kind == json::Kind::number || v.kind == json::Kind::boolean;
  };
  Texts out;
  if (scalar(value)) {
    out.push_back(value.text);
    return out;
  }
  if (!value.is_array() || value.items.empty() || !std::ranges::all_of(value.items, scalar)) {
    return refuse("Invalid policy syntax.");
  }
  for (const json::Value& item : value.items) {
    out.push_back(item.text);
  }
  return out;
}

class Parser {
 public:
  Parser(PolicyKind kind, std::string_view bucket, Origin origin)
      : x_kind(kind), x_bucket(bucket), x_below(std::string(bucket) + "/"), x_origin(origin) {}

  Checked<std::vector<Statement>> parse(const json::Value& document);
  std::vector<std::string> take_unknown() { return std::move(x_unknown); }

 private:
  Checked<> read_version(const json::Value& value);
  Checked<Statement> statement(const json::Value& value);
  Checked<> read_field(const json::Member& field, Statement& out);
  Checked<> check_fields(const json::Value& value) const;
  Checked<> read_actions(const json::Value& value, bool negated, Statement& out);
  Checked<ActionSet> action_set(const std::string& pattern);
  Checked<> read_resources(const json::Value& value, Statement& out);
  Checked<> read_principals(const json::Value& value, Statement& out);
  Checked<> add_principals(std::string_view type, const Texts& names, Statement& out);
  Checked<> read_conditions(const json::Value& value, Statement& out);
  Checked<> check_targets(const Statement& statement) const;
  bool names_bucket(const ArnPattern& resource) const;
  bool names_objects(const ArnPattern& resource) const;

  const PolicyKind x_kind;
  const std::string_view x_bucket;
  const std::string x_below;
  const Origin x_origin;
  bool x_variables = false;
  std::vector<ActionSet> x_patterns;   ///< of the current statement's Action
  std::vector<std::string> x_unknown;  ///< actions of the whole document
};

Checked<std::vector<Statement>> Parser::parse(const json::Value& document) {
  const json::Value* statements = nullptr;
  for (const json::Member& field : document.members) {
    if (field.name == "Version") {
      if (auto read = read_version(field.value); !read) {
        return std::unexpected(read.error());
      }
    } else if (field.name == "Statement") {
      statements = &field.value;
    } else if (field.name != "Id" || !field.value.is_string()) {
      return refuse("Unknown field " + field.name);
    }
  }
  if (statements == nullptr) {
    return refuse("Missing required field Statement");
  }
  const bool one = statements->is_object();
  if ((!one && !statements->is_array()) || (!one && statements->items.empty())) {
    return refuse("Could not parse the policy: Statement is empty!");
  }
  std::vector<Statement> out;
  for (std::size_t i = 0; i < (one ? 1 : statements->items.size()); ++i) {
    auto read = statement(one ? *statements : statements->items[i]);
    if (!read) {
      return std::unexpected(std::move(read).error());
    }
    const bool twice =
        !read->sid.empty() && std::ranges::count(out, read->sid, &Statement::sid) != 0;
    if (twice) {
      return refuse("Statement IDs (SID) in a single policy must be unique.");
    }
    out.push_back(*std::move(read));
  }
  return out;
}

Checked<> Parser::read_version(const json::Value& value) {
  if (!value.is_string() || (value.text != kOldVersion && value.text != kNewVersion)) {
    return refuse("The policy must contain a valid version string");
  }
  x_variables = value.text == kNewVersion;
  return {};
}

Checked<> Parser::check_fields(const json::Value& value) const {
  const auto has = [&](std::string_view name) { return value.find(name) != nullptr; };
  const auto exactly_one = [&](std::string_view name, std::string_view negated) -> Checked<> {
    if (has(name) && has(negated)) {
      return refuse("Statement has both " + std::string(name) + " and " + std::string(negated));
    }
    return has(name) || has(negated) ? Checked<>()
                                     : refuse("Missing required field " + std::string(name));
  };
  if (!has("Effect")) {
    return refuse("Missing required field Effect");
  }
  if (x_kind == PolicyKind::identity) {
    if (has("Principal") || has("NotPrincipal")) {
      return refuse("Policy document should not specify a principal.");
    }
  } else if (auto checked = exactly_one("Principal", "NotPrincipal"); !checked) {
    return checked;
  }
  if (auto checked = exactly_one("Action", "NotAction"); !checked) {
    return checked;
  }
  if (x_kind != PolicyKind::trust) {
    return exactly_one("Resource", "NotResource");
  }
  return has("Resource") || has("NotResource") ? refuse("Has prohibited field Resource")
                                               : Checked<>();
}

Checked<Statement> Parser::statement(const json::Value& value) {
  if (!value.is_object()) {
    return refuse("Invalid policy syntax.");
  }
  if (auto checked = check_fields(value); !checked) {
    return std::unexpected(checked.error());
  }
  Statement out;
  x_patterns.clear();
  for (const json::Member& field : value.members) {
    if (auto read = read_field(field, out); !read) {
      return std::unexpected(std::move(read).error());
    }
  }
  // To allow everybody but one lets everybody in that nobody thought of; AWS has it in a Deny only.
  // What earlier versions took is kept as it was meant.
  if (out.not_principals && out.effect == Effect::allow && x_origin == Origin::author) {
    return refuse("NotPrincipal must be used with Effect Deny.");
  }
  if (auto checked = check_targets(out); !checked) {
    return std::unexpected(checked.error());
  }
  return out;
}

Checked<> Parser::read_field(const json::Member& field, Statement& out) {
  const std::string& name = field.name;
  if (name == "Sid") {
    out.sid = field.value.text;
    return field.value.is_string() && out.sid.size() <= kMaxSid ? Checked<>()
                                                                : refuse("Invalid policy syntax.");
  }
  if (name == "Effect") {
    const std::string& effect = field.value.text;
    if (!field.value.is_string() || (effect != "Allow" && effect != "Deny")) {
      return refuse("Invalid effect: " + effect);
    }
    out.effect = effect == "Allow" ? Effect::allow : Effect::deny;
    return {};
  }
  if (name == "Action" || name == "NotAction") {
    return read_actions(field.value, name == "NotAction", out);
  }
  if (name == "Resource" || name == "NotResource") {
    out.not_resources = name == "NotResource";
    return read_resources(field.value, out);
  }
  if (name == "Principal" || name == "NotPrincipal") {
    out.not_principals = name == "NotPrincipal";
    return read_principals(field.value, out);
  }
  return name == "Condition" ? read_conditions(field.value, out) : refuse("Unknown field " + name);
}

Checked<ActionSet> Parser::action_set(const std::string& pattern) {
  const std::size_t colon = pattern.find(':');
  if (pattern != "*" && (colon == std::string::npos || colon == 0 || colon + 1 == pattern.size())) {
    return refuse(x_kind == PolicyKind::bucket
                      ? "Policy has invalid action"
                      : "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, "
                        "etc.");
  }
  const ActionSet set = matching_actions(pattern);
  const std::string_view vendor = std::string_view(pattern).substr(0, colon);
  // What other vendors have is no request's here.
  const bool ours = std::ranges::any_of(kVendors, [&](std::string_view name) {
    return wildcard_match(vendor, name, Case::insensitive);
  });
  const bool unknown = ours && set.none() && !matches_other_action(pattern);
  if (x_origin == Origin::store && set.none()) {
    if (unknown) {
      x_unknown.push_back(pattern);
    }
    return set;
  }
  if (x_kind == PolicyKind::bucket) {
    const bool s3 = pattern == "*" || same_text(vendor, "s3");
    return s3 && set.any() ? Checked<ActionSet>(set) : refuse("Policy has invalid action");
  }
  // A Deny of a misspelt action would deny nothing.
  return unknown ? refuse("The action " + pattern + " is not known.") : Checked<ActionSet>(set);
}

Checked<> Parser::read_actions(const json::Value& value, bool negated, Statement& out) {
  auto texts = texts_of(value);
  if (!texts || texts->empty()) {
    return refuse(x_kind == PolicyKind::bucket ? "Policy has invalid action"
                                               : "Policy statement must contain actions.");
  }
  for (const std::string& pattern : *texts) {
    auto set = action_set(pattern);
    if (!set) {
      return std::unexpected(std::move(set).error());
    }
    out.actions |= *set;
    if (!negated && (x_origin == Origin::author || set->any())) {
      x_patterns.push_back(*set);
    }
  }
  out.actions = negated ? ~out.actions : out.actions;
  return {};
}

bool Parser::names_bucket(const ArnPattern& resource) const {
  if (resource.everything()) {
    return true;
  }
  const Truth truth = resource.part(4).matches(x_bucket, NoContext());
  return truth == Truth::yes ||
         (truth == Truth::unclear && resource.part(4).may_match_below(x_bucket));
}

bool Parser::names_objects(const ArnPattern& resource) const {
  return resource.everything() || resource.part(4).may_match_below(x_below);
}

Checked<> Parser::read_resources(const json::Value& value, Statement& out) {
  const auto texts = texts_of(value);
  if (!texts || texts->empty()) {
    return refuse(x_kind == PolicyKind::bucket ? "Policy has invalid resource"
                                               : "Policy statement must contain resources.");
  }
  for (const std::string& text : *texts) {
    auto pattern = ArnPattern::compile(text, x_variables);
    if (!pattern) {
      return refuse(x_kind == PolicyKind::bucket
                        ? "Policy has invalid resource"
                        : "Resource " + text + " must be in ARN format or \"*\".");
    }
    if (x_kind == PolicyKind::bucket) {
      const bool s3 =
          pattern->everything() || pattern->part(1).matches("s3", NoContext()) == Truth::yes;
      if (!s3 || (!names_bucket(*pattern) && !names_objects(*pattern))) {
        return refuse("Policy has invalid resource");
      }
    }
    out.resources.push_back(*std::move(pattern));
  }
  return {};
}

/// As AWS checks it: every pattern of Action has an action that some Resource can be of.
Checked<> Parser::check_targets(const Statement& statement) const {
  if (x_kind != PolicyKind::bucket || statement.not_resources) {
    return {};
  }
  const bool bucket = std::ranges::any_of(statement.resources,
                                          [&](const ArnPattern& p) { return names_bucket(p); });
  const bool objects = std::ranges::any_of(statement.resources,
                                           [&](const ArnPattern& p) { return names_objects(p); });
  for (const ActionSet& set : x_patterns) {
    bool applies = false;
    for (std::size_t i = 0; i < action_count() && !applies; ++i) {
      const Target target = action_target(static_cast<Action>(i));
      applies = set.test(i) &&
                ((bucket && target == Target::bucket) || (objects && target == Target::object));
    }
    if (!applies) {
      return refuse("Action does not apply to any resource(s) in statement");
    }
  }
  return {};
}

Checked<> Parser::read_principals(const json::Value& value, Statement& out) {
  if (value.is_string() && value.text == "*") {
    out.principals.add_everyone();
    return {};
  }
  if (!value.is_object() || value.members.empty()) {
    return refuse("Invalid principal in policy");
  }
  for (const json::Member& field : value.members) {
    const auto texts = texts_of(field.value);
    if (!texts || texts->empty()) {
      return refuse("Invalid principal in policy");
    }
    if (auto added = add_principals(field.name, *texts, out); !added) {
      return added;
    }
  }
  return {};
}

Checked<> Parser::add_principals(std::string_view type, const Texts& names, Statement& out) {
  for (const std::string& name : names) {
    bool fine = !name.empty();
    if (type == "AWS") {
      fine = fine && out.principals.add_aws(name);
    } else if (type == "CanonicalUser") {
      fine = fine && name != "*";
      out.principals.add_canonical(name);
    } else if (type == "Federated") {
      // Earlier versions took any name, and none of them lets anybody in.
      const bool known = out.principals.add_federated(name);
      if (!known && x_origin == Origin::store) {
        out.principals.add_foreign(name);
      }
      fine = fine && (known || x_origin == Origin::store);
    } else if (type == "Service") {
      out.principals.add_foreign(name);
    } else {
      fine = false;
    }
    if (!fine) {
      return refuse("Invalid principal in policy");
    }
  }
  return {};
}

Checked<> Parser::read_conditions(const json::Value& value, Statement& out) {
  if (!value.is_object()) {
    return refuse("Invalid policy syntax.");
  }
  for (const json::Member& line : value.members) {
    const std::optional<Operator> op = parse_operator(line.name);
    if (!op || !line.value.is_object()) {
      return refuse("Invalid Condition type : " + line.name);
    }
    for (const json::Member& entry : line.value.members) {
      const std::optional<KeyName> key = find_key(entry.name);
      if (!key) {
        return refuse("Policy has an invalid condition key");
      }
      const auto texts = condition_texts(entry.value);
      if (!texts) {
        return std::unexpected(texts.error());
      }
      auto condition = Condition::compile(*op, *key, *texts, x_variables);
      if (!condition) {
        return std::unexpected(std::move(condition).error());
      }
      out.conditions.push_back(*std::move(condition));
    }
  }
  return {};
}

}  // namespace

std::expected<ParsedPolicy, std::string> parse_policy(std::string_view text,
                                                      PolicyKind kind,
                                                      std::string_view bucket,
                                                      Origin origin) {
  if (text.size() > kMaxPolicyBytes) {
    return refuse("Policy exceeds the maximum allowed document size.");
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos ||
      text[text.find_first_not_of(" \t\r\n")] != '{') {
    return refuse("Policies must be valid JSON and the first byte must be '{'");
  }
  const auto document = json::parse(
      text, {.bytes = kMaxPolicyBytes, .depth = kMaxPolicyDepth, .values = kMaxPolicyValues});
  if (!document || !document->is_object()) {
    return refuse("This policy contains invalid Json");
  }
  Parser parser(kind, bucket, origin);
  auto statements = parser.parse(*document);
  if (!statements) {
    return std::unexpected(std::move(statements).error());
  }
  return ParsedPolicy{*std::move(statements), parser.take_unknown()};
}

}  // namespace outcrop::policy
