#include "server/account_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

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

json::object object_of(const identity::State& state, const identity::Account& a) {
  json::array keys;
  for (const identity::AccessKeyPtr& key : state.keys_of_account(a.id)) {
    keys.emplace_back(key->id);
  }
  return {{"id", a.id},
          {"canonical_id", a.canonical_id},
          {"name", a.name},
          {"email", a.email},
          {"created", a.created_ns / kNsPerSecond},
          {"access_keys", std::move(keys)}};
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
    all.push_back(object_of(*state, *account));
  }
  co_return json::serialize(json::object{{"accounts", std::move(all)}}) + "\n";
}

Task<std::string> create(const std::function<AccountParts()>& parts, std::string text) {
  CO_TRY(const AccountParts p, opened(parts));
  CO_TRY(const Wanted wanted, parse_wanted(text));
  const auto made = co_await p.identities->create_account(wanted.name, wanted.email);
  if (!made) {
    co_return std::unexpected(error_of(made.error()));
  }
  json::object out = object_of(*p.identities->state(), *made->account);
  out.emplace("access_key", made->key->id);
  out.emplace("secret_key", made->key->secret);
  co_return json::serialize(out) + "\n";
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
  const auto removed = co_await p.identities->remove_account(std::move(id));
  if (!removed) {
    co_return std::unexpected(error_of(removed.error()));
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
          .remove = [shared](std::string id) { return remove(*shared, std::move(id)); },
          .create_key = [shared](std::string id) { return create_key(*shared, std::move(id)); },
          .remove_key =
              [shared](std::string id, std::string key) {
                return remove_key(*shared, std::move(id), std::move(key));
              }};
}

}  // namespace outcrop::server
