// All identities at one moment. Immutable once published; a change makes the next one.
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/accounts.h"
#include "auth/identity/identity.h"
#include "auth/identity/limits.h"
#include "auth/key_use.h"

namespace outcrop::identity {

enum class EntityKind : std::uint8_t { user, group, role };
inline constexpr std::size_t kEntityKinds = 3;
/// "user", as in ARNs.
std::string_view kind_name(EntityKind kind);

/// A user, group or role.
struct Entity {
  EntityKind kind = EntityKind::user;
  std::string name, path = "/", id;
  std::int64_t created_ns = 0;
  std::string description;                      ///< of roles
  std::int64_t max_session = kMaxRoleSeconds;   ///< of roles: how long a session may last
  std::set<std::string, std::less<>> groups;    ///< of users
  std::set<std::string, std::less<>> attached;  ///< keys of managed policies
  std::map<std::string, PolicyPtr, std::less<>> inline_policies;
  PolicyPtr trust;         ///< of roles: who may assume it
  TagsPtr tags;            ///< of users and roles
  std::string boundary{};  ///< of users and roles: key of the managed policy; empty: none
  std::string arn() const;
};
using EntityPtr = std::shared_ptr<const Entity>;

/// A version of a managed policy that is not in force.
struct PolicyVersion {
  std::uint32_t number = 0;
  std::int64_t created_ns = 0;
  std::string text;
};

struct ManagedPolicy {
  std::string name, path = "/", id, description;
  std::int64_t created_ns = 0;
  PolicyPtr document;                   ///< of the default version
  std::uint32_t number = 1, last = 1;   ///< of the default version, and the highest there ever was
  std::int64_t version_ns = 0;          ///< when the default version was made
  std::vector<PolicyVersion> others{};  ///< by number
  bool aws = false;                     ///< one of AWS's, not stored and not changed
  TagsPtr tags{};
  std::string arn() const;
  /// What entities and sessions call it: its name, or the ARN of one of AWS's.
  std::string key() const { return aws ? arn() : name; }
  std::int64_t updated_ns() const;  ///< when the newest version was made
};
using ManagedPtr = std::shared_ptr<const ManagedPolicy>;

/// An account beside the first one: it owns buckets and objects, and has one root user and nobody
/// else.
struct Account : auth::AccountName {
  std::int64_t created_ns = 0;
  std::string arn() const;  ///< of its root user
};
using AccountPtr = std::shared_ptr<const Account>;

/// An identity provider whose tokens are taken for roles that trust it.
struct Provider {
  std::string url;                      ///< exactly as its tokens name it in `iss`
  std::vector<std::string> client_ids;  ///< whom its tokens must be for
  /// SHA-1, in hex, of certificates that its server may show though no authority vouches for them.
  std::vector<std::string> thumbprints;
  std::int64_t created_ns = 0;
  bool configured = false;  ///< in the configuration: not stored, and not changed over IAM
  TagsPtr tags{};
  std::string_view name() const;  ///< "HOST/PATH"
  std::string arn() const;
};
using ProviderPtr = std::shared_ptr<const Provider>;

struct AccessKey {
  std::string id, secret;
  std::string user;       ///< empty: of the root user of `account`
  std::string account{};  ///< empty: the user's, who is of the first account
  bool active = true;
  std::int64_t created_ns = 0;
  /// Of this key whatever else becomes of it; not stored.
  std::shared_ptr<auth::KeyUse> use = std::make_shared<auth::KeyUse>();
};
using AccessKeyPtr = std::shared_ptr<const AccessKey>;

/// Makes a document compiled, or unreadable.
PolicyPtr make_policy(std::string name,
                      std::string text,
                      policy::PolicyKind kind = policy::PolicyKind::identity,
                      policy::Origin origin = policy::Origin::author);

struct State {
  std::array<std::map<std::string, EntityPtr, NameOrder>, kEntityKinds> entities;
  std::map<std::string, ManagedPtr, std::less<>> policies;
  std::map<std::string, AccessKeyPtr, std::less<>> keys;      ///< by id
  std::map<std::string, AccountPtr, std::less<>> accounts;    ///< by id
  std::map<std::string, ProviderPtr, std::less<>> providers;  ///< by name

  // Derived by finish(): who each active key acts as, and the rest.
  std::map<std::string, auth::IdentityPtr, std::less<>> identities;
  std::map<std::string, EntityPtr, std::less<>> ids;  ///< users and roles by their ids
  auth::IdentityPtr root;

  /// Of any case; the entity has the name as it was given.
  EntityPtr find(EntityKind kind, std::string_view name) const;
  /// Of a user or role, by "arn:aws:iam::ACCOUNT:KIND/path/name", exactly.
  EntityPtr find_arn(std::string_view arn) const;
  EntityPtr find_id(std::string_view id) const;  ///< as of finish()
  ManagedPtr find_policy(std::string_view key) const;
  /// By "arn:aws:iam::ACCOUNT:policy/path/name", or "arn:aws:iam::aws:policy/name".
  ManagedPtr find_policy_arn(std::string_view arn) const;
  // These take names as the entities have them.
  std::vector<AccessKeyPtr> keys_of(std::string_view user) const;
  std::vector<AccessKeyPtr> keys_of_account(std::string_view account) const;
  /// The account with that canonical id; null: there is none beside the first.
  AccountPtr find_canonical(std::string_view canonical_id) const;
  /// The provider of that URL, exactly; null: there is none.
  ProviderPtr find_issuer(std::string_view url) const;
  ProviderPtr find_provider_arn(std::string_view arn) const;
  std::vector<EntityPtr> members_of(std::string_view group) const;
  /// All there are, those of AWS too.
  std::vector<ManagedPtr> all_policies() const;
  /// Everything that names the managed policy.
  std::vector<EntityPtr> attached_to(std::string_view policy) const;
  /// Those whose permissions boundary it is.
  std::vector<EntityPtr> bounded_by(std::string_view policy) const;
  struct Uses {
    std::size_t attached = 0, boundaries = 0;
  };
  /// How many entities have each of them; those that none has are not in it.
  std::map<std::string_view, Uses> policy_uses() const;
  /// The rights of an entity without any session policy.
  auth::IdentityPtr identity_of(const Entity& entity) const;

  /// A trust or bucket policy with the ids of the users and roles that it names, and the other way
  /// round (an id stays that is nobody's any more). The error is for the author: it names a user or
  /// role that there is not.
  std::expected<std::string, std::string> with_ids(std::string_view document) const;
  /// The same of a document that was stored before that was an error: such a name stays.
  std::string with_known_ids(std::string_view document) const;
  std::string with_arns(std::string_view document) const;

  void finish();

 private:
  EntityPtr find_named(std::string_view arn) const;
  void add_policies(const Entity& entity, auth::Identity& out) const;
};
using StatePtr = std::shared_ptr<const State>;

}  // namespace outcrop::identity
