#include "auth/policy/public_access.h"

#include <algorithm>

namespace outcrop::policy {
namespace {

/// Conditions that let in a fixed set of callers only: equal to fixed values, and never true for a
/// request without the key.
bool pins_down(const Condition& condition) {
  const Operator& op = condition.op();
  if (op.negated || op.if_exists || op.quantifier == Quantifier::for_all) {
    return false;
  }
  switch (condition.key().key) {
    case Key::source_ip:
      return op.comparison == Comparison::address && condition.fixed();
    case Key::principal_account:
    case Key::principal_arn:
    case Key::userid:
    case Key::username:
    case Key::never:  // organisations, VPCs: no request here has them
      return condition.fixed();
    default:
      return false;
  }
}

}  // namespace

bool is_public(const Policy& policy) {
  return std::ranges::any_of(policy.statements(), [](const Statement& s) {
    const bool for_everybody = s.principals.everyone() != s.not_principals;
    return s.effect == Effect::allow && for_everybody &&
           std::ranges::none_of(s.conditions, pins_down);
  });
}

}  // namespace outcrop::policy
