#include "server/account_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

#include "server/quota_json.h"
#include "server/quota_members.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;
using identity::IamCode;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

Error error_of(const identity::IamError& error) {
  switch (error.code) {
    case IamCode::no_such_entity:
      return Error(Errc::not_found, error.message);
    case IamCode::entity_already_exists:
    case IamCode::delete_conflict:
    case IamCode::limit_exceeded:
      return Error(Errc::conflict, error.message);
    case IamCode::unavailable:
      return Error(Errc::unavailable, error.message);
    default:
      return Error(Errc::invalid_argument, error.message);
  }
}

void add_usage(json::object& out, const AccountParts& p, std::string_view account) {
  const ns::GroupUsage usage = p.groups->usage(quota_group_of(account));
  out.emplace("buckets", usage.buckets);
  out.emplace("quota", quota_json(usage.limits));
  out.emplace("usage", usage_json(usage));
}

json::object object_of(const AccountParts& p,
                       const identity::State& state,
                       const identity::Account& a) {
  json::array keys;
  for (const identity::AccessKeyPtr& key : state.keys_of_account(a.id)) {
    keys.emplace_back(key->id);
  }
  json::object out{{"id", a.id},
                   {"canonical_id", a.canonical_id},
                   {"name", a.name},
                   {"email", a.email},
                   {"created", a.created_ns / kNsPerSecond},
                   {"access_keys", std::move(keys)}};
  add_usage(out, p, a.id);
  return out;
}

/// The server's own, of which there is no more to say.
json::object first_account(const AccountParts& p) {
  json::object out{{"id", policy::kAccount}};
  add_usage(out, p, policy::kAccount);
  return out;
}

Result<json::object> find_account(const AccountParts& p, const std::string& id) {
  if (id == policy::kAccount) {
    return first_account(p);
  }
  const identity::StatePtr state = p.identities->state();
  const auto at = state->accounts.find(id);
  if (at == state->accounts.end()) {
    return fail(Errc::not_found, "there is no account " + id);
  }
  return object_of(p, *state, *at->second);
}

struct Wanted {
  std::string name, email;
};

/// {"name": "lab", "email": "lab@example.com"}, the latter if there is one.
Result<Wanted> parse_wanted(const std::string& text) {
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  const json::object* const o = ec ? nullptr : value.if_object();
  Wanted out;
  bool good = o != nullptr;
  for (std::size_t i = 0; good && i < o->size(); ++i) {
    const json::key_value_pair& member = *(o->begin() + i);
    std::string* const to = member.key() == "name"    ? &out.name
                            : member.key() == "email" ? &out.email
                                                      : nullptr;
    good = to != nullptr && member.value().is_string();
    if (good) {
      to->assign(member.value().get_string().data(), member.value().get_string().size());
    }
  }
  if (!good) {
    return fail(Errc::invalid_argument,
                R"(expected {"name": "...", "email": "..."}, the latter if there is one)");
  }
  return out;
}

Result<AccountParts> opened(const std::function<AccountParts()>& parts) {
  const AccountParts out = parts();
  if (out.identities == nullptr || out.access == nullptr) {
    return fail(Errc::unavailable, "the store is not open yet; /health/ready says when it is");
  }
  return out;
}

Task<std::string> list(const std::function<AccountParts()>& parts) {
  CO_TRY(const AccountParts p, opened(parts));
  json::array all;
  const identity::StatePtr state = p.identities->state();
  for (const auto& [id, account] : state->accounts) {
    all.push_back(object_of(p, *state, *account));
  }
  json::object out{{"accounts", std::move(all)}};
  out.emplace("first", first_account(p));
  co_return json::serialize(out) + "\n";
}

Task<std::string> create(const std::function<AccountParts()>& parts, std::string text) {
  CO_TRY(const AccountParts p, opened(parts));
  CO_TRY(const Wanted wanted, parse_wanted(text));
  const auto made = co_await p.identities->create_account(wanted.name, wanted.email);
  if (!made) {
    co_return std::unexpected(error_of(made.error()));
  }
  json::object out = object_of(p, *p.identities->state(), *made->account);
  out.emplace("access_key", made->key->id);
  out.emplace("secret_key", made->key->secret);
  co_return json::serialize(out) + "\n";
}

Task<std::string> show(const std::function<AccountParts()>& parts, std::string id) {
  CO_TRY(const AccountParts p, opened(parts));
  CO_TRY(const json::object account, find_account(p, id));
  co_return json::serialize(account) + "\n";
}

/// {"quota": {"bytes": N, "objects": N}}, or null for none.
Result<ns::QuotaLimits> parse_change(const std::string& text) {
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  const json::object* const o = ec ? nullptr : value.if_object();
  const json::value* const quota = o != nullptr ? o->if_contains("quota") : nullptr;
  if (quota == nullptr || o->size() != 1) {
    return fail(Errc::invalid_argument, R"(expected an object with "quota")");
  }
  return parse_quota(*quota);
}

Task<std::string> change(const std::function<AccountParts()>& parts,
                         std::string id,
                         std::string text) {
  CO_TRY(const AccountParts p, opened(parts));
  CO_TRY(const ns::QuotaLimits limits, parse_change(text));
  {
    // An account that is being removed leaves no quota behind.
    const access::AccessTable::Held held = co_await p.access->lock();
    CO_TRYV(find_account(p, id));
    CO_TRYV(co_await p.groups->put_limits(quota_group_of(id), limits));
  }
  co_return co_await show(parts, std::move(id));
}

Result<std::vector<admin::UsageSample>> samples(const std::function<AccountParts()>& parts) {
  TRY(const AccountParts p, opened(parts));
  std::vector<admin::UsageSample> out;
  const auto add = [&](const std::string& id) {
    if (auto sample = usage_sample(id, p.groups->usage(quota_group_of(id)))) {
      out.push_back(*std::move(sample));
    }
  };
  add(std::string(policy::kAccount));
  for (const auto& [id, account] : p.identities->state()->accounts) {
    add(id);
  }
  return out;
}

/// While the table is locked no bucket is made: so none is left behind without an owner.
Task<> remove(const std::function<AccountParts()>& parts, std::string id) {
  CO_TRY(const AccountParts p, opened(parts));
  const access::AccessTable::Held held = co_await p.access->lock();
  for (const auto& [name, bucket] : *p.access->snapshot()) {
    if (bucket->account == id) {
      co_return fail(Errc::conflict,
                     "the account has buckets, like " + name + ": delete them first");
    }
  }
  const ns::QuotaGroupId group = quota_group_of(id);
  const auto removed = co_await p.identities->remove_account(std::move(id));
  if (!removed) {
    co_return std::unexpected(error_of(removed.error()));
  }
  if (!p.groups->usage(group).limits.empty()) {
    // The account is gone: a limit that nobody has is no reason to say it is not.
    if (const auto cleared = co_await p.groups->put_limits(group, {}); !cleared) {
      log::warn("the quota of an account that was removed is left over",
                {{"account", std::to_string(group)}, {"error", cleared.error().describe()}});
    }
  }
  co_return ok();
}

Task<std::string> create_key(const std::function<AccountParts()>& parts, std::string id) {
  CO_TRY(const AccountParts p, opened(parts));
  const auto made = co_await p.identities->create_account_key(std::move(id));
  if (!made) {
    co_return std::unexpected(error_of(made.error()));
  }
  co_return json::serialize(
      json::object{{"access_key", (*made)->id}, {"secret_key", (*made)->secret}}) +
      "\n";
}

Task<> remove_key(const std::function<AccountParts()>& parts, std::string id, std::string key) {
  CO_TRY(const AccountParts p, opened(parts));
  const auto removed = co_await p.identities->remove_account_key(std::move(id), std::move(key));
  if (!removed) {
    co_return std::unexpected(error_of(removed.error()));
  }
  co_return ok();
}

}  // namespace

admin::AccountSource account_source(std::function<AccountParts()> parts) {
  const auto shared = std::make_shared<const std::function<AccountParts()>>(std::move(parts));
  return {.list = [shared] { return list(*shared); },
          .create = [shared](std::string text) { return create(*shared, std::move(text)); },
          .show = [shared](std::string id) { return show(*shared, std::move(id)); },
          .change =
              [shared](std::string id, std::string text) {
                return change(*shared, std::move(id), std::move(text));
              },
          .remove = [shared](std::string id) { return remove(*shared, std::move(id)); },
          .create_key = [shared](std::string id) { return create_key(*shared, std::move(id)); },
          .remove_key =
              [shared](std::string id, std::string key) {
                return remove_key(*shared, std::move(id), std::move(key));
              },
          .samples = [shared] { return samples(*shared); }};
}

}  // namespace outcrop::server
