// Users, groups and roles over the wire.
#include <algorithm>
#include <charconv>

#include "api/iam/answer.h"
#include "api/iam/lists.h"
#include "api/iam/table.h"
#include "auth/identity/limits.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;
using identity::EntityPtr;

/// MaxSessionDuration; empty: it is not there.
Checked<std::optional<std::int64_t>> session_duration(const Call& call) {
  const auto text = call.form.find("MaxSessionDuration");
  if (!text) {
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() ||
      seconds < identity::kMaxRoleSeconds || seconds > identity::kLongestRoleSeconds) {
    return identity::refuse(identity::IamCode::validation,
                            "MaxSessionDuration must be between " +
                                std::to_string(identity::kMaxRoleSeconds) + " and " +
                                std::to_string(identity::kLongestRoleSeconds) + ".");
  }
  return seconds;
}

Answer create(Call& call,
              EntityKind kind,
              std::string_view element,
              std::int64_t max_session = identity::kMaxRoleSeconds) {
  const auto path = call.form.find("Path");
  const auto boundary = call.form.find("PermissionsBoundary");
  if (boundary && boundary->empty()) {
    co_return identity::refuse(identity::IamCode::validation,
                               "PermissionsBoundary must be the ARN of a policy.");
  }
  auto tags = tags_of(call.form);
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  const auto made = co_await call.store.create(
      {.kind = kind,
       .name = call.form.get(parameter_of(kind)),
       .path = path ? std::string(*path) : "/",
       .description = kind == EntityKind::role ? call.form.get("Description") : std::string(),
       .trust = call.form.get("AssumeRolePolicyDocument"),
       .max_session = max_session,
       .tags = identity::keep_tags(*std::move(tags)),
       .boundary = std::string(boundary.value_or(""))});
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.open(element);
  write_entity(call.xml, *call.state, **made, Extent::whole);
  call.xml.close();
  co_return Checked<>{};
}

Checked<> write_page(Call& call,
                     EntityKind kind,
                     std::string_view element,
                     std::vector<std::string> names) {
  const auto page = page_of(call, std::move(names));
  if (!page) {
    return std::unexpected(page.error());
  }
  call.xml.open(element);
  for (const std::string& name : *page) {
    if (const EntityPtr entity = call.state->find(kind, name)) {
      call.xml.open("member");
      write_entity(call.xml, *call.state, *entity, Extent::listed);
      call.xml.close();
    }
  }
  call.xml.close();
  return {};
}

Checked<> list(Call& call, EntityKind kind, std::string_view element) {
  const std::string prefix = call.form.get("PathPrefix");
  std::vector<std::string> names;
  for (const auto& [name, entity] : call.state->entities[static_cast<std::size_t>(kind)]) {
    if (entity->path.starts_with(prefix)) {
      names.push_back(name);
    }
  }
  return write_page(call, kind, element, std::move(names));
}

Checked<> show(Call& call, EntityKind kind, std::string_view element, std::string_view name) {
  const auto entity = identity::need(*call.state, kind, name);
  if (!entity) {
    return std::unexpected(entity.error());
  }
  call.xml.open(element);
  write_entity(call.xml, *call.state, **entity, Extent::whole);
  call.xml.close();
  return {};
}

}  // namespace

Answer create_user(Call& call) { co_return co_await create(call, EntityKind::user, "User"); }
Answer create_group(Call& call) { co_return co_await create(call, EntityKind::group, "Group"); }
Answer create_role(Call& call) {
  const auto duration = session_duration(call);
  if (!duration) {
    co_return std::unexpected(duration.error());
  }
  co_return co_await create(call, EntityKind::role, "Role",
                            duration->value_or(identity::kMaxRoleSeconds));
}

Answer update_role(Call& call) {
  const auto duration = session_duration(call);
  if (!duration) {
    co_return std::unexpected(duration.error());
  }
  const auto description = call.form.find("Description");
  co_return co_await call.store.update_role(
      call.form.get("RoleName"),
      description ? std::optional<std::string>(*description) : std::nullopt, *duration);
}

/// How many there are, and how many there may be.
Answer get_account_summary(Call& call) {
  const identity::State& state = *call.state;
  const auto entities = [&](EntityKind kind) {
    return state.entities[static_cast<std::size_t>(kind)].size();
  };
  const std::pair<std::string_view, std::size_t> rows[] = {
      {"AccessKeysPerUserQuota", identity::kMaxKeysPerUser},
      {"AttachedPoliciesPerGroupQuota", identity::kMaxAttached},
      {"AttachedPoliciesPerRoleQuota", identity::kMaxAttached},
      {"AttachedPoliciesPerUserQuota", identity::kMaxAttached},
      {"GroupPolicySizeQuota", identity::kMaxInlineGroupBytes},
      {"Groups", entities(EntityKind::group)},
      {"GroupsPerUserQuota", identity::kMaxGroupsPerUser},
      {"GroupsQuota", identity::kMaxGroups},
      {"Policies", state.policies.size()},
      {"PoliciesQuota", identity::kMaxPolicies},
      {"PolicySizeQuota", identity::kMaxManagedBytes},
      {"Providers", state.providers.size()},
      {"RolePolicySizeQuota", identity::kMaxInlineRoleBytes},
      {"Roles", entities(EntityKind::role)},
      {"RolesQuota", identity::kMaxRoles},
      {"UserPolicySizeQuota", identity::kMaxInlineUserBytes},
      {"Users", entities(EntityKind::user)},
      {"UsersQuota", identity::kMaxUsers},
      {"VersionsPerPolicyQuota", identity::kMaxPolicyVersions}};
  call.xml.open("SummaryMap");
  for (const auto& [name, value] : rows) {
    call.xml.open("entry").text("key", name).number("value", value).close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer list_users(Call& call) { co_return list(call, EntityKind::user, "Users"); }
Answer list_groups(Call& call) { co_return list(call, EntityKind::group, "Groups"); }
Answer list_roles(Call& call) { co_return list(call, EntityKind::role, "Roles"); }

Answer delete_user(Call& call) {
  co_return co_await call.store.remove(EntityKind::user, call.form.get("UserName"));
}
Answer delete_group(Call& call) {
  co_return co_await call.store.remove(EntityKind::group, call.form.get("GroupName"));
}
Answer delete_role(Call& call) {
  co_return co_await call.store.remove(EntityKind::role, call.form.get("RoleName"));
}

Answer get_user(Call& call) {
  const bool root = call.who.kind == policy::Subject::Kind::root;
  if (root && !call.form.find("UserName")) {
    call.xml.open("User").text("UserId", call.who.user_id).text("Arn", call.who.arn).close();
    co_return Checked<>{};
  }
  const auto name = call.user_name();
  if (!name) {
    co_return std::unexpected(name.error());
  }
  co_return show(call, EntityKind::user, "User", *name);
}

Answer get_role(Call& call) {
  co_return show(call, EntityKind::role, "Role", call.form.get("RoleName"));
}

Answer get_group(Call& call) {
  const std::string name = call.form.get("GroupName");
  if (auto shown = show(call, EntityKind::group, "Group", name); !shown) {
    co_return shown;
  }
  std::vector<std::string> names;
  for (const EntityPtr& user :
       call.state->members_of(call.state->find(EntityKind::group, name)->name)) {
    names.push_back(user->name);
  }
  co_return write_page(call, EntityKind::user, "Users", std::move(names));
}

Answer list_groups_for_user(Call& call) {
  const auto name = call.user_name();
  const auto user =
      name ? identity::need(*call.state, EntityKind::user, *name) : std::unexpected(name.error());
  if (!user) {
    co_return std::unexpected(user.error());
  }
  std::vector<std::string> names((*user)->groups.begin(), (*user)->groups.end());
  co_return write_page(call, EntityKind::group, "Groups", std::move(names));
}

Answer add_user_to_group(Call& call) {
  co_return co_await call.store.add_to_group(call.form.get("UserName"), call.form.get("GroupName"));
}
Answer remove_user_from_group(Call& call) {
  co_return co_await call.store.remove_from_group(call.form.get("UserName"),
                                                  call.form.get("GroupName"));
}

Answer update_role_description(Call& call) {
  const std::string name = call.form.get("RoleName");
  if (auto updated = co_await call.store.update_role(name, call.form.get("Description"), {});
      !updated) {
    co_return updated;
  }
  const auto role = identity::need(*call.store.state(), EntityKind::role, name);
  if (!role) {
    co_return std::unexpected(role.error());
  }
  call.xml.open("Role");
  write_entity(call.xml, *call.state, **role, Extent::whole);
  call.xml.close();
  co_return Checked<>{};
}

template <EntityKind kind>
Answer rename(Call& call) {
  identity::IdentityStore::Rename to;
  to.name = call.form.find("New" + std::string(parameter_of(kind)));
  to.path = call.form.find("NewPath");
  co_return co_await call.store.rename(kind, call.form.get(parameter_of(kind)), std::move(to));
}
template Answer rename<EntityKind::user>(Call&);
template Answer rename<EntityKind::group>(Call&);

Answer update_assume_role_policy(Call& call) {
  co_return co_await call.store.set_trust(call.form.get("RoleName"),
                                          call.form.get("PolicyDocument"));
}

}  // namespace outcrop::iam
