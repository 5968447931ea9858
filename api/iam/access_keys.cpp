// Access keys of users over the wire.
#include <algorithm>

#include "api/iam/answer.h"

namespace outcrop::iam {
namespace {
using identity::Checked;
}

Answer create_access_key(Call& call) {
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
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  co_return co_await call.store.set_key_active(*user, call.form.get("AccessKeyId"),
                                               status == "Active");
}

Answer delete_access_key(Call& call) {
  const auto user = call.user_name();
  if (!user) {
    co_return std::unexpected(user.error());
  }
  co_return co_await call.store.remove_key(*user, call.form.get("AccessKeyId"));
}

}  // namespace outcrop::iam
