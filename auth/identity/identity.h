// Who an access key acts as, ready for a decision: subject and policies. Immutable, shared by
// requests; a request keeps the one that it was authenticated with.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/identity/tags.h"
#include "auth/policy/evaluate.h"

namespace outcrop::identity {

/// Whose token a session came from.
struct Federation {
  std::string provider;           ///< name of the identity provider, "HOST/PATH"; empty: none
  std::int64_t provider_ns = 0;   ///< when it was made: another one may have its name later
  std::string subject, audience;  ///< of the token
  std::string role, role_id;      ///< that the token was for: the session ends with it
  bool operator==(const Federation&) const = default;
};

/// What a session was tagged with; the transitive ones go on to sessions that come from it.
struct SessionTag {
  std::string value;
  bool transitive = false;
};
using SessionTags = std::map<std::string, SessionTag, NameOrder>;

/// A document with its name. `compiled` is empty if it cannot be read: it then denies everything.
struct NamedPolicy {
  std::string name, text;
  std::optional<policy::Policy> compiled;
};
using PolicyPtr = std::shared_ptr<const NamedPolicy>;

}  // namespace outcrop::identity

namespace outcrop::auth {

struct Identity {
  policy::Subject::Kind kind = policy::Subject::Kind::anonymous;
  std::string account;
  /// Of an account that was made beside the first one; empty: the first one's, which is the
  /// server's.
  std::string canonical_id{};
  std::string arn, role_arn;                  ///< of the user, or of the session and its role
  std::string user_id;                        ///< aws:userid
  std::string entity_id{};                    ///< of the user, or of the role
  std::string user_name;                      ///< aws:username; of users only
  std::vector<identity::PolicyPtr> policies;  ///< of the user, his groups, or the role
  std::vector<const policy::Policy*> compiled;
  identity::PolicyPtr session;     ///< null: not restricted further
  identity::PolicyPtr boundary{};  ///< of the user or role; null: there is none
  bool unreadable = false;         ///< one of the policies did not compile, or is missing
  identity::TagsPtr tags{};        ///< of the user, or of the role and the session
  /// Of these, what sessions that come from this one have as well.
  identity::TagsPtr transitive{};
  // Of temporary credentials: the access key that they came from, and its user.
  bool temporary = false;
  std::int64_t issued_ns = 0;
  std::string issuer_key, issuer_user;
  identity::Federation federation{};  ///< if they came from a token: then there is no key

  /// All of his own side, borrowed.
  policy::PolicySet policy_set() const {
    const auto borrow = [](const identity::PolicyPtr& p) {
      return p && p->compiled ? &*p->compiled : nullptr;
    };
    return {.identity = compiled,
            .session = borrow(session),
            .boundary = borrow(boundary),
            .unreadable = unreadable};
  }
  /// `first_id`: the canonical id of the first account.
  policy::Subject subject(std::string_view first_id) const {
    return {.kind = kind,
            .account = account,
            .arn = arn,
            .role_arn = role_arn,
            .canonical_id = canonical_id.empty() ? first_id : std::string_view(canonical_id),
            .id = entity_id};
  }
};
using IdentityPtr = std::shared_ptr<const Identity>;

}  // namespace outcrop::auth
