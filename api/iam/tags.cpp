// Tags of users, roles, managed policies and identity providers over the wire.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/lists.h"
#include "api/iam/table.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using Kind = identity::IdentityStore::Tagged::Kind;

constexpr std::string_view parameter(Kind kind) {
  switch (kind) {
    case Kind::user:
      return "UserName";
    case Kind::role:
      return "RoleName";
    case Kind::policy:
      return "PolicyArn";
    case Kind::provider:
      break;
  }
  return "OpenIDConnectProviderArn";
}

template <class T>
Checked<identity::TagsPtr> tags_if(const Checked<T>& found) {
  return found ? Checked<identity::TagsPtr>((*found)->tags) : std::unexpected(found.error());
}

Checked<identity::TagsPtr> kept_tags(const Call& call, Kind kind) {
  switch (kind) {
    case Kind::user:
      return tags_if(need(*call.state, identity::EntityKind::user, call.form.get("UserName")));
    case Kind::role:
      return tags_if(need(*call.state, identity::EntityKind::role, call.form.get("RoleName")));
    case Kind::policy:
      return tags_if(named_policy(call));
    case Kind::provider:
      break;
  }
  return tags_if(named_provider(call));
}

void write_tag(s3::XmlWriter& xml, const std::string& key, const std::string& value) {
  xml.open("member").text("Key", key).text("Value", value).close();
}

}  // namespace

void write_tags(s3::XmlWriter& xml, const identity::TagsPtr& tags) {
  if (!tags) {
    return;
  }
  xml.open("Tags");
  for (const auto& [key, value] : *tags) {
    write_tag(xml, key, value);
  }
  xml.close();
}

template <Kind kind>
Answer tag(Call& call) {
  const auto more = tags_of(call.form);
  if (!more) {
    co_return std::unexpected(more.error());
  }
  co_return co_await call.store.edit_tags(
      {kind, call.form.get(parameter(kind))},
      [&more](const identity::TagsPtr& tags) { return identity::with_tags(tags, *more); });
}

template <Kind kind>
Answer untag(Call& call) {
  const auto keys = list_of(call.form, "TagKeys");
  if (!keys) {
    co_return std::unexpected(keys.error());
  }
  if (auto checked = identity::check_tag_keys(*keys); !checked) {
    co_return checked;
  }
  co_return co_await call.store.edit_tags(
      {kind, call.form.get(parameter(kind))},
      [&keys](const identity::TagsPtr& tags) -> Checked<identity::TagsPtr> {
        return identity::without_tags(tags, *keys);
      });
}

template <Kind kind>
Answer list_tags(Call& call) {
  const auto tags = kept_tags(call, kind);
  if (!tags) {
    co_return std::unexpected(tags.error());
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : identity::tags_of(*tags)) {
    keys.push_back(key);
  }
  const auto page = page_of(call, std::move(keys));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("Tags");
  for (const std::string& key : *page) {
    write_tag(call.xml, key, (*tags)->at(key));
  }
  call.xml.close();
  co_return Checked<>{};
}

#define OUTCROP_IAM_TAGGED(kind)      \
  template Answer tag<kind>(Call&);   \
  template Answer untag<kind>(Call&); \
  template Answer list_tags<kind>(Call&)
OUTCROP_IAM_TAGGED(Kind::user);
OUTCROP_IAM_TAGGED(Kind::role);
OUTCROP_IAM_TAGGED(Kind::policy);
OUTCROP_IAM_TAGGED(Kind::provider);
#undef OUTCROP_IAM_TAGGED

}  // namespace outcrop::iam
