// The decision: every policy that applies to a request, put together. Pure; allocates nothing
// unless a request has more than a few values of one condition key.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "auth/policy/policy.h"
#include "auth/policy/public_access.h"

namespace outcrop::policy {

/// Why a request was allowed or denied; for the audit log, never for the client.
enum class Reason : std::uint8_t {
  root,                 ///< allowed: the root user
  identity_policy,      ///< allowed by a policy of the user, his groups, or the role
  bucket_policy,        ///< allowed by the bucket
  acl,                  ///< allowed by an ACL
  trust_policy,         ///< allowed by the role
  own_rights,           ///< allowed: whoever has signed may ask for his own
  denied_by_identity,   ///< an explicit Deny
  denied_by_session,    ///< an explicit Deny
  denied_by_boundary,   ///< an explicit Deny
  denied_by_bucket,     ///< an explicit Deny
  denied_by_trust,      ///< an explicit Deny of the role
  not_allowed,          ///< no policy allows it
  outside_session,      ///< the session policy does not allow it
  outside_boundary,     ///< the permissions boundary does not allow it
  anonymous,            ///< nobody signed, and the bucket does not allow it to everybody
  public_access_block,  ///< would be allowed if public access were not blocked
  not_all_below,        ///< a directory, and not every key below it is allowed
  undecided,            ///< nothing yet: the handler decides when it has read the body
  unreadable,           ///< a policy that applies cannot be read
};
std::string_view to_string(Reason reason);

/// What decided, to be kept.
struct Why {
  Reason reason = Reason::not_allowed;
  std::string sid{};  ///< of the statement, if one decided that has one
};
/// "denied_by_bucket (KeepAll)".
std::string to_string(const Why& why);

struct Decision {
  bool allowed = false;
  Reason reason = Reason::not_allowed;
  const Statement* statement = nullptr;  ///< that decided, if one did; lives as long as its policy
  Why why() const { return {reason, statement != nullptr ? statement->sid : std::string()}; }
};

/// Everything that has a say. Policies are borrowed; what is absent does not restrict.
struct PolicySet {
  std::span<const Policy* const> identity{};  ///< of the user, his groups, or the role
  const Policy* session = nullptr;            ///< of the session
  const Policy* bucket = nullptr;
  /// The permissions boundary of the user or role. What it does not allow, his own policies do not
  /// either, nor does what others say unless they name him: the user, or the session of a role.
  const Policy* boundary = nullptr;
  PublicAccessBlock block{};
  bool bucket_is_public = false;   ///< is_public(*bucket), computed when it was compiled
  bool unreadable = false;         ///< an identity or session policy or boundary did not compile
  bool bucket_unreadable = false;  ///< the bucket's did not
  /// What the ACLs of the bucket or object say, after OwnershipControls. `acl_public`: the grant
  /// that says so is for everybody.
  bool acl_allows = false, acl_public = false;
  /// What `acl_allows` stands for is said of the caller by name: of a trust policy.
  bool acl_names_caller = false;
  /// The bucket or object belongs to another account than the caller: what his own account says is
  /// needed, and so is what the other side says.
  bool foreign = false;
  /// The object belongs to another account than its bucket, whose policy can deny only.
  bool bucket_only_denies = false;
};

Decision decide(const PolicySet& policies, const Request& request);

}  // namespace outcrop::policy
