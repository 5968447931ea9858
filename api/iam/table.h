// One row per IAM and STS action: which permission it needs on what, and who serves it.
#pragma once
#include <span>
#include <string_view>

#include "api/iam/call.h"
#include "auth/policy/action.h"

namespace outcrop::iam {

/// What the action is about; the parameter that names it says which. A new policy has a name and
/// no ARN yet.
enum class Subject : unsigned char {
  account,
  self,  ///< the caller
  user,
  group,
  role,
  key_owner,     ///< the user of AccessKeyId
  assumed_role,  ///< by ARN
  policy,
  new_policy,
  provider,   ///< of identities
  simulated,  ///< the user, group or role whose policies are looked at, by ARN
  new_provider,
};

enum class Access : unsigned char { read, write };

struct Action {
  std::string_view name;        ///< of the Action parameter
  std::string_view service;     ///< "iam" or "sts": what the signature must be for
  std::string_view permission;  ///< "iam:CreateUser"; empty: the handler decides
  Subject subject;
  Access access;  ///< a write leaves a record in the audit log, also if it only makes credentials
  /// Names of all parameters that the handler heeds, with a blank between them; one that ends in a
  /// point is a list. Any other one is refused: whoever sends it counts on what it means.
  std::string_view parameters;
  Answer (*handler)(Call&);
};

std::span<const Action> actions();
/// NotImplemented for what AWS takes and this server does not, ValidationError for what nobody
/// does, and for a user without a name.
identity::Checked<> check_parameters(const Action& action, const Form& form);
/// The name of the parameter that names one of a kind, like "UserName".
std::string_view parameter_of(identity::EntityKind kind);

}  // namespace outcrop::iam
