#include "auth/policy/policy.h"

#include <algorithm>

#include "auth/policy/policy_parser.h"
#include "storage/base/log.h"

namespace outcrop::policy {
namespace {

// A document may have thousands, or one of its own length.
constexpr std::size_t kMaxLoggedActions = 10, kMaxLoggedActionBytes = 100;

/// Not in the middle of a character.
std::string shortened(std::string_view action) {
  if (action.size() <= kMaxLoggedActionBytes) {
    return std::string(action);
  }
  std::size_t end = kMaxLoggedActionBytes;
  while (end > 0 && (static_cast<unsigned char>(action[end]) & 0xc0) == 0x80) {
    --end;
  }
  return std::string(action.substr(0, end)) + "...";
}

/// Truth as a yes or no: against the request.
bool settle(Truth truth, Effect effect) {
  return truth == Truth::unclear ? effect == Effect::deny : truth == Truth::yes;
}

Truth names(const Statement& s, const Request& request) {
  Truth out = Truth::no;
  for (const ArnPattern& pattern : s.resources) {
    const Truth one = pattern.matches(request.resource, request.context);
    if (one == Truth::yes) {
      return one;
    }
    out = one == Truth::unclear ? one : out;
  }
  return out;
}

bool covers(const Statement& s, const Request& request) {
  const Truth named = names(s, request);
  if (named == Truth::unclear) {
    return s.effect == Effect::deny;
  }
  return (named == Truth::yes) != s.not_resources;
}

}  // namespace

std::expected<Policy, std::string> Policy::compile(std::string_view text,
                                                   PolicyKind kind,
                                                   std::string_view bucket,
                                                   Origin origin) {
  auto parsed = parse_policy(text, kind, bucket, origin);
  if (!parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  Policy out;
  out.x_kind = kind;
  out.x_statements = std::move(parsed->statements);
  out.x_unknown = std::move(parsed->unknown_actions);
  for (const Statement& s : out.x_statements) {
    (s.effect == Effect::allow ? out.x_allowed : out.x_denied) |= s.actions;
    std::ranges::for_each(s.resources, [&](const ArnPattern& p) { p.collect_keys(out.x_keys); });
    std::ranges::for_each(s.conditions, [&](const Condition& c) { c.collect_keys(out.x_keys); });
  }
  return out;
}

Policy Policy::together(std::vector<Policy> parts) {
  Policy out;
  for (Policy& part : parts) {
    std::ranges::move(part.x_statements, std::back_inserter(out.x_statements));
    out.x_allowed |= part.x_allowed;
    out.x_denied |= part.x_denied;
    out.x_keys |= part.x_keys;
  }
  return out;
}

void log_unknown_actions(const Policy& policy, std::string_view name, std::string_view owner) {
  const std::vector<std::string>& unknown = policy.unknown_actions();
  if (unknown.empty()) {
    return;
  }
  std::string actions;
  for (std::size_t i = 0; i < std::min(unknown.size(), kMaxLoggedActions); ++i) {
    actions.append(i == 0 ? "" : ", ").append(shortened(unknown[i]));
  }
  log::warn("a stored policy names actions that are not known: they match nothing",
            {{"policy", name}, {"of", owner}, {"actions", actions}, {"count", unknown.size()}});
}

bool Policy::applies(const Statement& s, const Request& request) const {
  if (!s.actions.test(request.action)) {
    return false;
  }
  if (x_kind != PolicyKind::identity) {
    const bool wide = (s.effect == Effect::deny) != s.not_principals;
    if (s.principals.contains(request.subject, wide) == s.not_principals) {
      return false;
    }
  }
  if (x_kind != PolicyKind::trust && !covers(s, request)) {
    return false;
  }
  bool unclear = false;
  for (const Condition& condition : s.conditions) {
    const Truth truth = condition.holds(request.context);
    if (truth == Truth::no) {
      return false;
    }
    unclear = unclear || truth == Truth::unclear;
  }
  return settle(unclear ? Truth::unclear : Truth::yes, s.effect);
}

const Statement* Policy::find(Effect effect, const Request& request) const {
  if (!(effect == Effect::allow ? x_allowed : x_denied).test(request.action)) {
    return nullptr;
  }
  const auto found = std::ranges::find_if(
      x_statements, [&](const Statement& s) { return s.effect == effect && applies(s, request); });
  return found == x_statements.end() ? nullptr : &*found;
}

std::vector<const Statement*> Policy::find_all(Effect effect, const Request& request) const {
  std::vector<const Statement*> out;
  for (const Statement& s : x_statements) {
    if (s.effect == effect && applies(s, request)) {
      out.push_back(&s);
    }
  }
  return out;
}

const Statement* Policy::find_named(const Request& request) const {
  const auto found = std::ranges::find_if(x_statements, [&](const Statement& s) {
    return s.names(request.subject) && applies(s, request);
  });
  return found == x_statements.end() ? nullptr : &*found;
}

}  // namespace outcrop::policy
