#include "auth/identity/state.h"

#include <algorithm>
#include <ranges>

#include "auth/identity/aws_policies.h"
#include "auth/oidc/issuer.h"
#include "auth/policy/principal_names.h"

namespace outcrop::identity {
namespace {

constexpr std::string_view kIamArn = "arn:aws:iam::";

std::string arn_of(std::string_view kind, std::string_view path, std::string_view name) {
  std::string out(kIamArn);
  out.append(policy::kAccount).append(":").append(kind).append(path).append(name);
  return out;
}

/// "arn:aws:iam::ACCOUNT:user/NAME" or role/NAME, whether there is one or not.
bool names_entity(std::string_view arn) {
  policy::ArnParts parts;
  return policy::split_arn(arn, parts) && parts.part[1] == "iam" &&
         (parts.part[4].starts_with("user/") || parts.part[4].starts_with("role/"));
}

void add(const PolicyPtr& policy, auth::Identity& out) {
  if (!policy || !policy->compiled) {
    out.unreadable = true;
    return;
  }
  out.policies.push_back(policy);
  out.compiled.push_back(&*policy->compiled);
}

auth::IdentityPtr root_of(const Account& account) {
  auto out = std::make_shared<auth::Identity>();
  out->kind = policy::Subject::Kind::root;
  out->account = account.id;
  out->canonical_id = account.canonical_id;
  out->arn = account.arn();
  out->user_id = account.id;
  return out;
}

}  // namespace

std::string_view kind_name(EntityKind kind) {
  switch (kind) {
    case EntityKind::user:
      return "user";
    case EntityKind::group:
      return "group";
    case EntityKind::role:
      return "role";
  }
  return "";
}

std::string Entity::arn() const { return arn_of(kind_name(kind), path, name); }
std::string Account::arn() const { return std::string(kIamArn).append(id).append(":root"); }
std::string ManagedPolicy::arn() const {
  return aws ? std::string(kAwsPolicyPrefix) + name : arn_of("policy", path, name);
}
std::int64_t ManagedPolicy::updated_ns() const {
  std::int64_t out = version_ns;
  for (const PolicyVersion& other : others) {
    out = std::max(out, other.created_ns);
  }
  return out;
}

PolicyPtr make_policy(std::string name,
                      std::string text,
                      policy::PolicyKind kind,
                      policy::Origin origin) {
  auto out = std::make_shared<NamedPolicy>();
  auto compiled = policy::Policy::compile(text, kind, {}, origin);
  if (compiled) {
    out->compiled = *std::move(compiled);
  }
  out->name = std::move(name);
  out->text = std::move(text);
  return out;
}

EntityPtr State::find(EntityKind kind, std::string_view name) const {
  const auto& all = entities[static_cast<std::size_t>(kind)];
  const auto at = all.find(name);
  return at == all.end() ? nullptr : at->second;
}

EntityPtr State::find_arn(std::string_view arn) const {
  const std::string_view name = arn.substr(arn.rfind('/') + 1);
  for (const EntityKind kind : {EntityKind::user, EntityKind::role}) {
    if (EntityPtr found = find(kind, name); found && found->arn() == arn) {
      return found;
    }
  }
  return nullptr;
}

/// As a Principal may write it: without the account it is the first one's.
EntityPtr State::find_named(std::string_view arn) const {
  constexpr std::string_view kNoAccount = "arn:aws:iam:::";
  return arn.starts_with(kNoAccount) ? find_arn(std::string(kIamArn)
                                                    .append(policy::kAccount)
                                                    .append(arn.substr(kNoAccount.size() - 1)))
                                     : find_arn(arn);
}

std::expected<std::string, std::string> State::with_ids(std::string_view document) const {
  std::string of_nobody;
  std::string out = policy::exchange_principals(document, [&](std::string_view name) {
    const bool id = policy::is_principal_id(name);
    const EntityPtr found = id ? find_id(name) : find_named(name);
    if (!found && (id || names_entity(name))) {
      of_nobody = name;
    }
    return found ? std::optional(found->id) : std::nullopt;
  });
  return of_nobody.empty()
             ? std::expected<std::string, std::string>(std::move(out))
             : std::unexpected("Invalid principal in policy: \"AWS\":\"" + of_nobody + "\"");
}

std::string State::with_known_ids(std::string_view document) const {
  return policy::exchange_principals(document, [&](std::string_view name) {
    const EntityPtr found = find_named(name);
    return found ? std::optional(found->id) : std::nullopt;
  });
}

std::string State::with_arns(std::string_view document) const {
  return policy::exchange_principals(document, [&](std::string_view name) {
    const EntityPtr found = policy::is_principal_id(name) ? find_id(name) : nullptr;
    return found ? std::optional(found->arn()) : std::nullopt;
  });
}

EntityPtr State::find_id(std::string_view id) const {
  const auto at = ids.find(id);
  return at == ids.end() ? nullptr : at->second;
}

ManagedPtr State::find_policy(std::string_view key) const {
  const auto& all = key.starts_with(kAwsPolicyPrefix) ? aws_policies() : policies;
  const auto at = all.find(key);
  return at == all.end() ? nullptr : at->second;
}

ManagedPtr State::find_policy_arn(std::string_view arn) const {
  if (arn.starts_with(kAwsPolicyPrefix)) {
    return find_policy(arn);
  }
  const std::size_t slash = arn.rfind('/');
  const ManagedPtr found =
      slash == std::string_view::npos ? nullptr : find_policy(arn.substr(slash + 1));
  return found && found->arn() == arn ? found : nullptr;
}

std::vector<AccessKeyPtr> State::keys_of(std::string_view user) const {
  std::vector<AccessKeyPtr> out;
  for (const auto& [id, key] : keys) {
    if (key->account.empty() && key->user == user) {
      out.push_back(key);
    }
  }
  return out;
}

std::vector<AccessKeyPtr> State::keys_of_account(std::string_view account) const {
  std::vector<AccessKeyPtr> out;
  for (const auto& [id, key] : keys) {
    if (!account.empty() && key->account == account) {
      out.push_back(key);
    }
  }
  return out;
}

AccountPtr State::find_canonical(std::string_view canonical_id) const {
  const auto at = std::ranges::find_if(
      accounts, [&](const auto& entry) { return entry.second->canonical_id == canonical_id; });
  return at == accounts.end() ? nullptr : at->second;
}

std::string_view Provider::name() const { return oidc::name_of(url); }
std::string Provider::arn() const { return arn_of("oidc-provider", "/", name()); }

ProviderPtr State::find_issuer(std::string_view url) const {
  const auto at = providers.find(oidc::name_of(url));
  return at != providers.end() && at->second->url == url ? at->second : nullptr;
}

ProviderPtr State::find_provider_arn(std::string_view arn) const {
  const auto at = std::ranges::find_if(
      providers, [&](const auto& entry) { return entry.second->arn() == arn; });
  return at == providers.end() ? nullptr : at->second;
}

std::vector<EntityPtr> State::members_of(std::string_view group) const {
  std::vector<EntityPtr> out;
  for (const auto& [name, user] : entities[static_cast<std::size_t>(EntityKind::user)]) {
    if (user->groups.contains(group)) {
      out.push_back(user);
    }
  }
  return out;
}

std::vector<ManagedPtr> State::all_policies() const {
  std::vector<ManagedPtr> out;
  for (const auto* some : {&policies, &aws_policies()}) {
    std::ranges::copy(*some | std::views::values, std::back_inserter(out));
  }
  return out;
}

std::vector<EntityPtr> State::attached_to(std::string_view policy) const {
  std::vector<EntityPtr> out;
  for (const auto& kind : entities) {
    for (const auto& [name, entity] : kind) {
      if (entity->attached.contains(policy)) {
        out.push_back(entity);
      }
    }
  }
  return out;
}

std::vector<EntityPtr> State::bounded_by(std::string_view policy) const {
  std::vector<EntityPtr> out;
  for (const auto& kind : entities) {
    for (const auto& [name, entity] : kind) {
      if (!policy.empty() && entity->boundary == policy) {
        out.push_back(entity);
      }
    }
  }
  return out;
}

std::map<std::string_view, State::Uses> State::policy_uses() const {
  std::map<std::string_view, Uses> out;
  for (const auto& kind : entities) {
    for (const auto& [name, entity] : kind) {
      for (const std::string& policy : entity->attached) {
        ++out[policy].attached;
      }
      if (!entity->boundary.empty()) {
        ++out[entity->boundary].boundaries;
      }
    }
  }
  return out;
}

void State::add_policies(const Entity& entity, auth::Identity& out) const {
  for (const auto& [name, policy] : entity.inline_policies) {
    add(policy, out);
  }
  for (const std::string& name : entity.attached) {
    const ManagedPtr managed = find_policy(name);
    add(managed ? managed->document : nullptr, out);
  }
}

auth::IdentityPtr State::identity_of(const Entity& entity) const {
  auto out = std::make_shared<auth::Identity>();
  out->kind = entity.kind == EntityKind::role ? policy::Subject::Kind::role_session
                                              : policy::Subject::Kind::user;
  out->account = policy::kAccount;
  out->arn = entity.arn();
  out->user_id = entity.id;
  out->entity_id = entity.id;
  out->user_name = entity.kind == EntityKind::user ? entity.name : "";
  out->tags = entity.tags;
  add_policies(entity, *out);
  if (!entity.boundary.empty()) {
    const ManagedPtr managed = find_policy(entity.boundary);
    out->boundary = managed ? managed->document : nullptr;
    // Without it there is no telling what he may do at most.
    out->unreadable = out->unreadable || !out->boundary || !out->boundary->compiled;
  }
  for (const std::string& name : entity.groups) {
    const EntityPtr group = find(EntityKind::group, name);
    if (!group) {
      out->unreadable = true;  // whatever it denied, it denies no more: nothing may be allowed
      continue;
    }
    add_policies(*group, *out);
  }
  return out;
}

void State::finish() {
  auto owner = std::make_shared<auth::Identity>();
  owner->kind = policy::Subject::Kind::root;
  owner->account = policy::kAccount;
  owner->arn = std::string(kIamArn).append(policy::kAccount).append(":root");
  owner->user_id = policy::kAccount;
  root = owner;
  std::map<std::string, auth::IdentityPtr, std::less<>> of_users;
  for (const auto& [name, user] : entities[static_cast<std::size_t>(EntityKind::user)]) {
    of_users.emplace(name, identity_of(*user));
  }
  std::map<std::string, auth::IdentityPtr, std::less<>> of_accounts;
  for (const auto& [id, account] : accounts) {
    of_accounts.emplace(id, root_of(*account));
  }
  ids.clear();
  for (const EntityKind kind : {EntityKind::user, EntityKind::role}) {
    for (const auto& [name, entity] : entities[static_cast<std::size_t>(kind)]) {
      ids.emplace(entity->id, entity);
    }
  }
  identities.clear();
  for (const auto& [id, key] : keys) {
    const bool own = !key->account.empty();
    const auto& all = own ? of_accounts : of_users;
    const auto who = all.find(own ? key->account : key->user);
    if (key->active && who != all.end()) {
      identities.emplace(id, who->second);
    }
  }
}

}  // namespace outcrop::identity
