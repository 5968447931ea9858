// A change in the making. Private to auth/identity.
#pragma once
#include <string>
#include <utility>

#include "auth/identity/error.h"
#include "auth/identity/record.h"
#include "auth/identity/state.h"
#include "storage/meta/meta_store.h"

namespace outcrop::identity {

/// A managed policy that can be attached, whoever made it.
Checked<ManagedPtr> need_policy(const State& state, std::string_view arn);
/// A managed policy, or an identity provider, that may be changed.
Checked<ManagedPtr> need_own_policy(const State& state, std::string_view arn);
Checked<ProviderPtr> need_own_provider(const State& state, const std::string& arn);

struct Draft {
  State next;
  meta::Batch batch;
  const SealKey& seal_key;
  Random& random;
  std::int64_t now_ns = 0;

  EntityPtr put(Entity entity) {
    batch.put(entity_key(entity.kind, entity.name), encode(entity));
    auto made = std::make_shared<const Entity>(std::move(entity));
    next.entities[static_cast<std::size_t>(made->kind)].insert_or_assign(made->name, made);
    return made;
  }
  void erase(const Entity& entity) {
    batch.erase(entity_key(entity.kind, entity.name));
    next.entities[static_cast<std::size_t>(entity.kind)].erase(std::string(entity.name));
  }
  ManagedPtr put(ManagedPolicy policy) {
    batch.put(managed_key(policy.name), encode(policy));
    auto made = std::make_shared<const ManagedPolicy>(std::move(policy));
    next.policies.insert_or_assign(made->name, made);
    return made;
  }
  AccountPtr put(Account account) {
    batch.put(account_key(account.id), encode(account));
    auto made = std::make_shared<const Account>(std::move(account));
    next.accounts.insert_or_assign(made->id, made);
    return made;
  }
  void erase(const Account& account) {
    batch.erase(account_key(account.id));
    next.accounts.erase(std::string(account.id));
  }
  ProviderPtr put(Provider provider) {
    std::string name(provider.name());
    batch.put(provider_key(name), encode(provider));
    auto made = std::make_shared<const Provider>(std::move(provider));
    next.providers.insert_or_assign(std::move(name), made);
    return made;
  }
  void erase(const Provider& provider) {
    const std::string name(provider.name());
    batch.erase(provider_key(name));
    next.providers.erase(name);
  }
  AccessKeyPtr put(AccessKey key) {
    batch.put(access_key_key(key.id), encode(key, seal_key, random));
    auto made = std::make_shared<const AccessKey>(std::move(key));
    next.keys.insert_or_assign(made->id, made);
    return made;
  }
};

}  // namespace outcrop::identity
