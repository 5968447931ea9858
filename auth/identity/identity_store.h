// All identities but the root credential: users, groups, roles, policies and access keys, in the
// metadata store and as one snapshot in memory. Reads never wait; a change is durable, and seen by
// every worker, when it returns ok. Any thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/identity/async_mutex.h"
#include "auth/identity/error.h"
#include "auth/identity/seal.h"
#include "auth/identity/state.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/meta/meta_store.h"

namespace outcrop::identity {

/// A change in the making: the next state and the records that lead to it.
struct Draft;

/// NoSuchEntity as IAM words it.
Checked<EntityPtr> need(const State& state, EntityKind kind, std::string_view name);

class IdentityStore final : public auth::KeyStore, public auth::Accounts {
 public:
  struct Needs {
    meta::MetaStore& meta;
    const Clock& clock;
    Random& random;
    std::vector<Provider> providers = {};  ///< of the configuration
    bool plain_http = false;               ///< identity providers may be at http:// URLs
  };
  /// Whether secrets were ever sealed for this store: then their key must be there.
  static Task<bool> is_set_up(meta::MetaStore& meta);
  /// Loads everything. Errc::config, one line for the operator: the key is not the one that the
  /// secrets were sealed with. Records that cannot be read are logged and left out; what depends on
  /// them is denied.
  static Task<std::unique_ptr<IdentityStore>> open(Needs needs,
                                                   SealKey seal_key,
                                                   auth::Credential root);

  /// The root credential and all active access keys.
  std::optional<auth::Credential> find(std::string_view access_key) const override;
  std::optional<auth::Credential> find_session(std::string_view access_key,
                                               std::string_view token) const override;
  StatePtr state() const;
  const std::string& root_key() const { return x_root.access_key; }
  std::optional<auth::AccountName> find_canonical(std::string_view canonical_id) const override;
  std::optional<auth::AccountName> find_email(std::string_view email) const override;
  std::expected<std::string, std::string> with_ids(std::string_view policy) const override {
    return state()->with_ids(policy);
  }
  std::string with_arns(std::string_view policy) const override {
    return state()->with_arns(policy);
  }

  struct Temporary {
    std::string access_key, secret, token;
    std::int64_t expires_ns = 0;
  };
  /// What a session of a role is called, and what restricts it.
  struct RoleSession {
    std::string name{}, policy{};
    std::vector<std::string> managed{};  ///< names of managed policies
    SessionTags tags{};
  };
  /// Credentials for the caller's own rights, or with `role` for those of the role (null: none).
  /// That he may have them is decided already. `who` with a federation of its own: whoever has the
  /// token, and no access key. PackedPolicyTooLarge: its token would be longer than is taken.
  Checked<Temporary> issue(const auth::Identity& who,
                           std::string_view access_key,
                           const Entity* role,
                           RoleSession session,
                           std::int64_t seconds);
  /// Makes durable what tells this store's seal key from another, before something else is sealed
  /// with it; as good as free once it is done.
  Task<> note_seal_key();
  /// Called after every published change, on the worker that made it. Set once, before any change.
  void on_change(std::function<void()> hook) { x_hook = std::move(hook); }

  struct NewEntity {
    EntityKind kind = EntityKind::user;
    std::string name, path = "/", description;
    std::string trust;  ///< of roles: the trust policy
    std::int64_t max_session = kMaxRoleSeconds;
    TagsPtr tags{};
    std::string boundary{};  ///< ARN of a managed policy; empty: none
  };
  Change<EntityPtr> create(NewEntity wanted);
  Change<> remove(EntityKind kind, std::string name);
  /// What is not given stays. Of users and groups; all that names them follows.
  struct Rename {
    std::optional<std::string> name{}, path{};
  };
  Change<> rename(EntityKind kind, std::string name, Rename to);
  Change<> add_to_group(std::string user, std::string group);
  Change<> remove_from_group(std::string user, std::string group);
  /// What is not given stays.
  Change<> update_role(std::string role,
                       std::optional<std::string> description,
                       std::optional<std::int64_t> max_session);
  Change<> set_trust(std::string role, std::string text);

  Change<ManagedPtr> create_policy(std::string name,
                                   std::string path,
                                   std::string description,
                                   std::string text,
                                   TagsPtr tags = {});
  Change<> remove_policy(std::string arn);
  /// The new version.
  Change<PolicyVersion> create_policy_version(std::string arn, std::string text, bool as_default);
  Change<> set_default_version(std::string arn, std::uint32_t number);
  Change<> remove_policy_version(std::string arn, std::uint32_t number);
  Change<> attach(EntityKind kind, std::string name, std::string policy_arn);
  Change<> detach(EntityKind kind, std::string name, std::string policy_arn);
  /// The permissions boundary of a user or role; empty: none.
  Change<> set_boundary(EntityKind kind, std::string name, std::string policy_arn);
  Change<> put_inline(EntityKind kind, std::string name, std::string policy, std::string text);
  Change<> remove_inline(EntityKind kind, std::string name, std::string policy);

  struct NewAccount {
    AccountPtr account;
    AccessKeyPtr key;  ///< of its root user
  };
  Change<NewAccount> create_account(std::string name, std::string email);
  /// With its access keys. That it owns nothing any more is the caller's to check.
  Change<> remove_account(std::string id);
  /// Another key of the root user: so that one can be exchanged without a break.
  Change<AccessKeyPtr> create_account_key(std::string account);
  Change<> remove_account_key(std::string account, std::string key);

  Change<ProviderPtr> create_provider(Provider wanted);
  Change<> remove_provider(std::string arn);
  /// Of the client ids and thumbprints; that they are allowed is checked here.
  Change<> edit_provider(std::string arn, std::function<void(Provider&)> edit);

  /// What tags are of: a user or role by name, a managed policy or identity provider by ARN.
  struct Tagged {
    enum class Kind : std::uint8_t { user, role, policy, provider } kind = Kind::user;
    std::string name;
  };
  using TagsEdit = std::function<Checked<TagsPtr>(const TagsPtr&)>;
  Change<> edit_tags(Tagged what, TagsEdit edit);

  Change<AccessKeyPtr> create_key(std::string user);
  Change<> set_key_active(std::string user, std::string id, bool active);
  Change<> remove_key(std::string user, std::string id);

 private:
  using Edit = std::function<Checked<>(Draft&)>;
  IdentityStore(Needs needs, SealKey seal_key, auth::Credential root);
  Task<> load();
  Change<> change(const Edit& edit);
  /// `edit` changes the user; both must be there. False: nothing was to be done.
  using MemberEdit = std::function<Checked<bool>(Entity& user, const std::string& group)>;
  Change<> edit_membership(std::string user, std::string group, MemberEdit edit);
  void publish(StatePtr next);
  /// What a thread remembers of the store.
  struct Seen {
    std::uint64_t serial = 0, version = 0;
    StatePtr state;
  };
  /// Of now; valid until the thread's next call.
  const Seen& look() const;

  const Needs x_needs;
  const SealKey x_seal_key;
  const auth::Credential x_root;
  const std::uint64_t x_serial;  // tells stores apart in the threads' caches
  std::function<void()> x_hook;
  AsyncMutex x_changing;
  /// The record that tells the key of this store from others; it is there before any secret is
  /// sealed. Changed under x_changing.
  std::atomic<bool> x_check_stored = true;
  mutable std::mutex x_mutex;
  StatePtr x_state;
  std::atomic<std::uint64_t> x_version{0};
};

}  // namespace outcrop::identity
