// Access keys of users over the wire.
#include <algorithm>

#include "api/iam/answer.h"

namespace outcrop::iam {
namespace {

using identity::Checked;

/// The root user who asks about his own keys.
bool is_about_root(const Call& call) {
  return call.who.kind == policy::Subject::Kind::root && !call.form.find("UserName");
}

/// His key is in a file of whoever runs the server, and not changed from here.
std::unexpected<identity::IamError> not_from_here(const Call& call) {
  const std::string id = call.form.get("AccessKeyId");
  if (call.form.find("AccessKeyId") && id != call.store.root_key()) {
    return identity::refuse(identity::IamCode::no_such_entity,
                            "The Access Key with id " + id + " cannot be found.");
  }
  return identity::refuse(identity::IamCode::not_implemented,
                          "The access key of the root user is in the server's credentials file, "
                          "and is changed there.");
}

}  // namespace

Answer create_access_key(Call& call) {
  if (is_about_root(call)) {
    co_return not_from_here(call);
  }
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  const auto made = co_await call.store.create_key(*user);
  if (!made) {
    co_return std::unexpected(made.error());
  }
  const identity::AccessKey& key = **made;
  call.new_key = key.id;
  call.xml.open("AccessKey").text("UserName", key.user).text("AccessKeyId", key.id);
  call.xml.text("Status", "Active").text("SecretAccessKey", key.secret);
  call.xml.text("CreateDate", date_text(key.created_ns)).close();
  co_return Checked<>{};
}

Answer list_access_keys(Call& call) {
  if (is_about_root(call)) {
    const auto page = page_of(call, {call.store.root_key()});
    if (!page) {
      co_return std::unexpected(page.error());
    }
    call.xml.open("AccessKeyMetadata");
    for (const std::string& id : *page) {
      call.xml.open("member").text("AccessKeyId", id).text("Status", "Active").close();
    }
    call.xml.close();
    co_return Checked<>{};
  }
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  if (const auto found = identity::need(*call.state, identity::EntityKind::user, *user); !found) {
    co_return std::unexpected(found.error());
  }
  std::vector<std::string> ids;
  for (const identity::AccessKeyPtr& key : call.state->keys_of(*user)) {
    ids.push_back(key->id);
  }
  const auto page = page_of(call, std::move(ids));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("AccessKeyMetadata");
  for (const std::string& id : *page) {
    const identity::AccessKey& key = *call.state->keys.at(id);
    call.xml.open("member").text("UserName", key.user).text("AccessKeyId", key.id);
    call.xml.text("Status", key.active ? "Active" : "Inactive");
    call.xml.text("CreateDate", date_text(key.created_ns)).close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer update_access_key(Call& call) {
  const std::string status = call.form.get("Status");
  if (status != "Active" && status != "Inactive") {
    co_return identity::refuse(identity::IamCode::validation,
                               "Status must be one of Active and Inactive.");
  }
  if (is_about_root(call)) {
    co_return not_from_here(call);
  }
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  co_return co_await call.store.set_key_active(*user, call.form.get("AccessKeyId"),
                                               status == "Active");
}

Answer delete_access_key(Call& call) {
  if (is_about_root(call)) {
    co_return not_from_here(call);
  }
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  co_return co_await call.store.remove_key(*user, call.form.get("AccessKeyId"));
}

/// Since the server was started: before that, nobody has looked, which AWS calls N/A, too.
Answer get_access_key_last_used(Call& call) {
  constexpr std::string_view kServices[] = {"s3", "iam", "sts"};
  const std::string id = call.form.get("AccessKeyId");
  const auto key = call.state->keys.find(id);
  if (key == call.state->keys.end() || !key->second->account.empty()) {
    co_return identity::refuse(identity::IamCode::no_such_entity,
                               "The Access Key with id " + id + " cannot be found.");
  }
  const std::optional<auth::KeyUse::Last> last = key->second->use->last();
  call.xml.text("UserName", key->second->user).open("AccessKeyLastUsed");
  if (last) {
    call.xml.text("LastUsedDate", date_text(last->seconds * 1'000'000'000));
  }
  call.xml.text("ServiceName", last ? kServices[static_cast<std::size_t>(last->service)] : "N/A");
  call.xml.text("Region", last ? call.region : "N/A").close();
  co_return Checked<>{};
}

/// Whose a key is. Of temporary ones it cannot be told without their token.
Answer get_access_key_info(Call& call) {
  const std::string id = call.form.get("AccessKeyId");
  const auto key = call.state->keys.find(id);
  const bool there = key != call.state->keys.end();
  if (!there && id != call.store.root_key()) {
    co_return identity::refuse(identity::IamCode::validation,
                               "The access key " + id + " is none of this server's.");
  }
  const bool of_other = there && !key->second->account.empty();
  call.xml.text("Account", of_other ? std::string_view(key->second->account) : policy::kAccount);
  co_return Checked<>{};
}

}  // namespace outcrop::iam
