// A policy document, compiled once: what a statement says about one request is then a bit test and
// a few text comparisons. Immutable; any thread. Source: IAM JSON policy reference.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/action.h"
#include "auth/policy/condition.h"
#include "auth/policy/pattern.h"
#include "auth/policy/principal.h"

namespace outcrop::policy {

inline constexpr std::size_t kMaxPolicyBytes = 20 << 10;  ///< of a document, as AWS for buckets
inline constexpr std::size_t kMaxPolicyDepth = 10;
inline constexpr std::size_t kMaxPolicyValues = 4096;

/// What a document is for, which says which elements it has.
enum class PolicyKind : std::uint8_t {
  identity,  ///< of users, groups, roles, and sessions: no Principal
  bucket,    ///< with Principal; resources of the one bucket
  trust,     ///< of a role: who may assume it. Principal, no Resource
};

enum class Effect : std::uint8_t { allow, deny };

struct Statement {
  /// Whether it allows the caller himself something by name.
  bool names(const Subject& subject) const {
    return effect == Effect::allow && !not_principals && principals.names(subject);
  }

  std::string sid;
  Effect effect = Effect::deny;
  ActionSet actions;  ///< NotAction: the complement
  bool not_principals = false;
  PrincipalSet principals;  ///< of bucket and trust policies
  bool not_resources = false;
  std::vector<ArnPattern> resources;  ///< of identity and bucket policies
  std::vector<Condition> conditions;
};

/// One question. All parts are borrowed.
struct Request {
  Action action = 0;
  ArnParts resource;
  const Subject& subject;
  const Context& context;
};

/// Where a document comes from.
enum class Origin : std::uint8_t {
  author,  ///< it is being put: an action that does not exist is an error, so that he knows
  store,   ///< it was accepted once, perhaps by another version: such an action matches nothing,
           ///< which is what it means to this server, and is one of unknown_actions()
};

class Policy {
 public:
  /// The error is AWS's text for the author: the message of MalformedPolicy (buckets) or
  /// MalformedPolicyDocument. `bucket` is the bucket of a bucket policy.
  static std::expected<Policy, std::string> compile(std::string_view text,
                                                    PolicyKind kind,
                                                    std::string_view bucket = {},
                                                    Origin origin = Origin::author);
  /// All statements of several policies of the kind `identity`: what one of them allows, and none
  /// denies.
  static Policy together(std::vector<Policy> parts);

  /// The first statement of that effect that applies; null if none does. What is unclear about a
  /// statement makes a Deny apply and an Allow not.
  const Statement* find(Effect effect, const Request& request) const;

  /// All of them, for whoever explains a decision.
  std::vector<const Statement*> find_all(Effect effect, const Request& request) const;
  /// The first Allow that applies and names the caller himself, and not everybody or the account.
  const Statement* find_named(const Request& request) const;
  PolicyKind kind() const { return x_kind; }
  /// Whether a condition or a variable asks for the key.
  bool names(Key key) const { return x_keys.test(static_cast<std::size_t>(key)); }
  const std::vector<Statement>& statements() const { return x_statements; }
  /// What a stored document names of the vendors that are served here, and AWS does not have
  /// either.
  const std::vector<std::string>& unknown_actions() const { return x_unknown; }

 private:
  bool applies(const Statement& statement, const Request& request) const;

  PolicyKind x_kind = PolicyKind::identity;
  std::vector<Statement> x_statements;
  std::vector<std::string> x_unknown;
  ActionSet x_allowed, x_denied;  ///< by any statement
  KeySet x_keys;
};

/// For whoever loads the documents that are kept, once for each: the log names what matches
/// nothing, if there is any, with the policy and whose it is. Not for the policies that sessions
/// bring, which are read with every request.
void log_unknown_actions(const Policy& policy, std::string_view name, std::string_view owner);

}  // namespace outcrop::policy
