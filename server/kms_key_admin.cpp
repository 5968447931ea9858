#include "server/kms_key_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

namespace outcrop::server {
namespace {

namespace json = boost::json;
using VaultOf = std::function<keys::Vault*()>;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

json::object object_of(const keys::Vault& vault, const keys::KmsKey& key) {
  return {{"id", key.id},
          {"arn", vault.arn_of(key.id)},
          {"state", key.damaged   ? "damaged"
                    : key.enabled ? "enabled"
                                  : "disabled"},
          {"default", key.is_default},
          {"created", key.created_ns / kNsPerSecond}};
}

/// A JSON object with at most the one member `name`; null: it has none. Empty optional: anything
/// else.
std::optional<json::value> only_member(const std::string& text, std::string_view name) {
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  const json::object* const o = ec ? nullptr : value.if_object();
  if (o == nullptr || o->size() > 1 || (o->size() == 1 && o->begin()->key() != name)) {
    return std::nullopt;
  }
  return o->empty() ? json::value() : o->begin()->value();
}

Result<keys::Vault*> opened(const VaultOf& vault) {
  keys::Vault* const out = vault();
  if (out == nullptr) {
    return fail(Errc::unavailable, "the store is not open yet; /health/ready says when it is");
  }
  return out;
}

Task<std::string> list(const VaultOf& of) {
  CO_TRY(const keys::Vault* const vault, opened(of));
  json::array all;
  const auto keys = vault->keys();
  for (const auto& [id, key] : *keys) {
    all.push_back(object_of(*vault, *key));
  }
  co_return json::serialize(json::object{{"keys", std::move(all)}}) + "\n";
}

Task<std::string> create(const VaultOf& of, std::string text) {
  CO_TRY(keys::Vault* const vault, opened(of));
  const auto id = only_member(text.empty() ? "{}" : text, "id");
  if (!id || (!id->is_null() && (!id->is_string() || id->get_string().empty()))) {
    co_return fail(Errc::invalid_argument, R"(expected {"id": "NAME"}, or {} for a new UUID)");
  }
  CO_TRY(const keys::KmsKeyPtr made,
         co_await vault->create(id->is_null() ? std::string() : std::string(id->get_string())));
  co_return json::serialize(object_of(*vault, *made)) + "\n";
}

Task<std::string> change(const VaultOf& of, std::string id, std::string text) {
  CO_TRY(keys::Vault* const vault, opened(of));
  const auto enabled = only_member(text, "enabled");
  if (!enabled || !enabled->is_bool()) {
    co_return fail(Errc::invalid_argument, R"(expected {"enabled": true} or {"enabled": false})");
  }
  CO_TRY(const keys::KmsKeyPtr changed,
         co_await vault->set_enabled(std::move(id), enabled->get_bool()));
  co_return json::serialize(object_of(*vault, *changed)) + "\n";
}

Task<> remove(const VaultOf& of, std::string id) {
  CO_TRY(keys::Vault* const vault, opened(of));
  co_return co_await vault->remove(std::move(id));
}

}  // namespace

admin::KmsKeySource kms_key_source(std::function<keys::Vault*()> vault) {
  const auto shared = std::make_shared<const VaultOf>(std::move(vault));
  return {.list = [shared] { return list(*shared); },
          .create = [shared](std::string text) { return create(*shared, std::move(text)); },
          .change =
              [shared](std::string id, std::string text) {
                return change(*shared, std::move(id), std::move(text));
              },
          .remove = [shared](std::string id) { return remove(*shared, std::move(id)); }};
}

}  // namespace outcrop::server
