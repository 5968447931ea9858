// Access keys of users.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

Checked<> check_quota(const State& state, std::string_view user) {
  if (state.keys_of(user).size() >= kMaxKeysPerUser) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(kMaxKeysPerUser));
  }
  if (state.keys.size() >= kMaxKeys) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for AccessKeysPerAccount: " + std::to_string(kMaxKeys));
  }
  return {};
}

Checked<AccessKeyPtr> need_key(const State& state, std::string_view user, std::string_view id) {
  const auto at = state.keys.find(id);
  if (at == state.keys.end() || !policy::same_text(at->second->user, user) ||
      !at->second->account.empty()) {
    return refuse(IamCode::no_such_entity,
                  "The Access Key with id " + std::string(id) + " cannot be found.");
  }
  return at->second;
}

}  // namespace

Change<AccessKeyPtr> IdentityStore::create_key(std::string user) {
  AccessKeyPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto owner = need(draft.next, EntityKind::user, user);
    if (!owner) {
      return std::unexpected(owner.error());
    }
    if (auto quota = check_quota(draft.next, (*owner)->name); !quota) {
      return quota;
    }
    AccessKey key;
    key.id = new_id("AKIA", draft.random);
    key.secret = new_secret(draft.random);
    key.user = (*owner)->name;
    key.created_ns = draft.now_ns;
    if (draft.next.keys.contains(key.id) || key.id == x_root.access_key) {
      return refuse(IamCode::unavailable, "the new access key exists already");
    }
    made = draft.put(std::move(key));
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::set_key_active(std::string user, std::string id, bool active) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto key = need_key(draft.next, user, id);
    if (!key) {
      return std::unexpected(key.error());
    }
    if ((*key)->active != active) {
      AccessKey changed = **key;
      changed.active = active;
      draft.put(std::move(changed));
    }
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::remove_key(std::string user, std::string id) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto key = need_key(draft.next, user, id);
    if (!key) {
      return std::unexpected(key.error());
    }
    draft.batch.erase(access_key_key(id));
    draft.next.keys.erase(id);
    return {};
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
