// Access keys of users, and service accounts: keys with at most the rights of their parent.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

Checked<> check_quota(const State& state, const IdentityStore::NewKey& wanted) {
  const std::vector<AccessKeyPtr> all = state.keys_of(wanted.user);
  const auto same =
      std::ranges::count(all, wanted.service, [](const AccessKeyPtr& k) { return k->service; });
  const std::size_t most = wanted.service ? kMaxServiceAccounts : kMaxKeysPerUser;
  if (static_cast<std::size_t>(same) >= most) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for AccessKeysPerUser: " + std::to_string(most));
  }
  if (state.keys.size() >= kMaxKeys) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for AccessKeysPerAccount: " + std::to_string(kMaxKeys));
  }
  return {};
}

Checked<PolicyPtr> compile_session(const std::string& text) {
  if (text.empty()) {
    return PolicyPtr();
  }
  if (text.size() > kMaxSessionPolicyBytes) {
    return refuse(IamCode::limit_exceeded, "The session policy has more than " +
                                               std::to_string(kMaxSessionPolicyBytes) + " bytes.");
  }
  PolicyPtr out = make_policy("session", text);
  if (!out->compiled) {
    return refuse(IamCode::malformed_policy,
                  policy::Policy::compile(text, policy::PolicyKind::identity).error());
  }
  return out;
}

Checked<AccessKeyPtr> need_key(const State& state, std::string_view user, std::string_view id) {
  const auto at = state.keys.find(id);
  if (at == state.keys.end() || at->second->user != user) {
    return refuse(IamCode::no_such_entity,
                  "The Access Key with id " + std::string(id) + " cannot be found.");
  }
  return at->second;
}

}  // namespace

Change<AccessKeyPtr> IdentityStore::create_key(NewKey wanted) {
  AccessKeyPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    if (wanted.user.empty() && !wanted.service) {
      return refuse(IamCode::validation,
                    "The root user has the one credential that the server was set up with.");
    }
    if (!wanted.service && !wanted.session_policy.empty()) {
      return refuse(IamCode::validation, "Only service accounts have a session policy.");
    }
    if (!wanted.user.empty()) {
      if (const auto user = need(draft.next, EntityKind::user, wanted.user); !user) {
        return std::unexpected(user.error());
      }
    }
    if (auto text = check_description(wanted.description); !text) {
      return text;
    }
    if (auto quota = check_quota(draft.next, wanted); !quota) {
      return quota;
    }
    auto session = compile_session(wanted.session_policy);
    if (!session) {
      return std::unexpected(std::move(session).error());
    }
    AccessKey key;
    key.id = new_id("AKIA", draft.random);
    key.secret = new_secret(draft.random);
    key.user = wanted.user;
    key.service = wanted.service;
    key.created_ns = draft.now_ns;
    key.session = *std::move(session);
    key.description = wanted.description;
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
