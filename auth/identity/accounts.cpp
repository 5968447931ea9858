// Accounts beside the first one.
#include <algorithm>

#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

Checked<> check_new(const State& state, std::string_view name, std::string_view email) {
  if (auto named = check_name("name", name, kMaxAccountName); !named) {
    return named;
  }
  if (auto mail = check_email(email); !mail) {
    return mail;
  }
  if (state.accounts.size() >= kMaxAccounts) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for Accounts: " + std::to_string(kMaxAccounts));
  }
  const bool taken = std::ranges::any_of(state.accounts, [&](const auto& entry) {
    return policy::same_text(entry.second->name, name) ||
           (!email.empty() && policy::same_text(entry.second->email, email));
  });
  if (taken) {
    return refuse(IamCode::entity_already_exists,
                  "There is an account with that name or email address already.");
  }
  return {};
}

Checked<AccountPtr> need_account(const State& state, std::string_view id) {
  const auto at = state.accounts.find(id);
  if (at == state.accounts.end()) {
    return refuse(IamCode::no_such_entity, "The account " + std::string(id) + " cannot be found.");
  }
  return at->second;
}

Checked<AccessKey> new_key(const Draft& draft, std::string_view root_key, std::string account) {
  AccessKey key;
  key.id = new_id("AKIA", draft.random);
  key.secret = new_secret(draft.random);
  key.account = std::move(account);
  key.created_ns = draft.now_ns;
  if (draft.next.keys.contains(key.id) || key.id == root_key) {
    return refuse(IamCode::unavailable, "the new access key exists already");
  }
  return key;
}

}  // namespace

std::optional<auth::AccountName> IdentityStore::find_canonical(
    std::string_view canonical_id) const {
  const AccountPtr found = state()->find_canonical(canonical_id);
  return found ? std::optional<auth::AccountName>(*found) : std::nullopt;
}

std::optional<auth::AccountName> IdentityStore::find_email(std::string_view email) const {
  if (email.empty()) {
    return std::nullopt;
  }
  const StatePtr now = state();
  const auto at = std::ranges::find_if(now->accounts, [&](const auto& entry) {
    return policy::same_text(entry.second->email, email);
  });
  return at == now->accounts.end() ? std::nullopt : std::optional<auth::AccountName>(*at->second);
}

Change<IdentityStore::NewAccount> IdentityStore::create_account(std::string name,
                                                                std::string email) {
  NewAccount made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    if (auto checked = check_new(draft.next, name, email); !checked) {
      return checked;
    }
    Account account;
    account.id = new_account_id(draft.random);
    account.canonical_id = new_canonical_id(draft.random);
    account.name = name;
    account.email = email;
    account.created_ns = draft.now_ns;
    if (draft.next.accounts.contains(account.id)) {
      return refuse(IamCode::unavailable, "the new account exists already");
    }
    auto key = new_key(draft, x_root.access_key, account.id);
    if (!key) {
      return std::unexpected(key.error());
    }
    made = {draft.put(std::move(account)), draft.put(*std::move(key))};
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::remove_account(std::string id) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto account = need_account(draft.next, id);
    if (!account) {
      return std::unexpected(account.error());
    }
    std::erase_if(draft.next.keys, [&](const auto& entry) {
      const bool own = entry.second->account == id;
      if (own) {
        draft.batch.erase(access_key_key(entry.first));
      }
      return own;
    });
    draft.erase(**account);
    return {};
  };
  co_return co_await change(edit);
}

Change<AccessKeyPtr> IdentityStore::create_account_key(std::string account) {
  AccessKeyPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    if (const auto there = need_account(draft.next, account); !there) {
      return std::unexpected(there.error());
    }
    if (draft.next.keys_of_account(account).size() >= kMaxKeysPerAccount) {
      return refuse(
          IamCode::limit_exceeded,
          "An account has at most " + std::to_string(kMaxKeysPerAccount) + " access keys.");
    }
    auto key = new_key(draft, x_root.access_key, account);
    if (!key) {
      return std::unexpected(key.error());
    }
    made = draft.put(*std::move(key));
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::remove_account_key(std::string account, std::string key) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto at = draft.next.keys.find(key);
    if (account.empty() || at == draft.next.keys.end() || at->second->account != account) {
      return refuse(IamCode::no_such_entity, "The access key " + key + " cannot be found.");
    }
    draft.next.keys.erase(at);
    draft.batch.erase(access_key_key(key));
    return {};
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
