// Users, groups and roles.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

struct KindRow {
  std::string_view title, element, id_prefix;
  std::size_t most;
};
constexpr KindRow kRows[kEntityKinds] = {
    {"User", "userName", "AIDA", kMaxUsers},
    {"Group", "groupName", "AGPA", kMaxGroups},
    {"Role", "roleName", "AROA", kMaxRoles},
};
const KindRow& row(EntityKind kind) { return kRows[static_cast<std::size_t>(kind)]; }

/// Whom it trusts is kept by id.
Checked<PolicyPtr> compile_trust(const State& state, const std::string& text) {
  if (text.size() > kMaxSessionPolicyBytes) {
    return refuse(IamCode::limit_exceeded, "Cannot exceed quota for ACLSizePerRole: " +
                                               std::to_string(kMaxSessionPolicyBytes));
  }
  auto compiled = policy::Policy::compile(text, policy::PolicyKind::trust);
  if (!compiled) {
    return refuse(IamCode::malformed_policy, std::move(compiled).error());
  }
  auto kept = state.with_ids(text);
  if (!kept) {
    return refuse(IamCode::malformed_policy, std::move(kept).error());
  }
  return make_policy("trust", *std::move(kept), policy::PolicyKind::trust);
}

std::unexpected<IamError> taken(EntityKind kind, std::string_view name) {
  return refuse(IamCode::entity_already_exists, std::string(row(kind).title) + " with name " +
                                                    std::string(name) + " already exists.");
}

Checked<> check_removable(const State& state, const Entity& entity) {
  const auto conflict = [](std::string_view what) {
    return refuse(IamCode::delete_conflict,
                  "Cannot delete entity, must " + std::string(what) + " first.");
  };
  if (entity.kind == EntityKind::user && !state.keys_of(entity.name).empty()) {
    return conflict("delete access keys");
  }
  if (!entity.groups.empty() ||
      (entity.kind == EntityKind::group && !state.members_of(entity.name).empty())) {
    return conflict("remove users from group");
  }
  if (!entity.attached.empty()) {
    return conflict("detach all policies");
  }
  if (!entity.inline_policies.empty()) {
    return conflict("delete policies");
  }
  return {};
}

}  // namespace

Checked<EntityPtr> need(const State& state, EntityKind kind, std::string_view name) {
  EntityPtr found = state.find(kind, name);
  if (!found) {
    return refuse(IamCode::no_such_entity, "The " + std::string(kind_name(kind)) + " with name " +
                                               std::string(name) + " cannot be found.");
  }
  return found;
}

Change<EntityPtr> IdentityStore::create(NewEntity wanted) {
  EntityPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    const KindRow& kind = row(wanted.kind);
    if (auto named = check_name(kind.element, wanted.name, longest_name(wanted.kind)); !named) {
      return named;
    }
    if (auto path = check_path(wanted.path); !path) {
      return path;
    }
    if (auto text = check_description(wanted.description); !text) {
      return text;
    }
    if (draft.next.find(wanted.kind, wanted.name)) {
      return taken(wanted.kind, wanted.name);
    }
    if (draft.next.entities[static_cast<std::size_t>(wanted.kind)].size() >= kind.most) {
      return refuse(IamCode::limit_exceeded, "Cannot exceed quota for " + std::string(kind.title) +
                                                 "sPerAccount: " + std::to_string(kind.most));
    }
    Entity entity;
    entity.kind = wanted.kind;
    entity.name = wanted.name;
    entity.path = wanted.path;
    entity.description = wanted.description;
    entity.max_session = wanted.max_session;
    entity.tags = wanted.tags;
    if (!wanted.boundary.empty()) {
      const auto boundary = need_policy(draft.next, wanted.boundary);
      if (!boundary) {
        return std::unexpected(boundary.error());
      }
      entity.boundary = (*boundary)->key();
    }
    entity.id = new_id(kind.id_prefix, draft.random);
    entity.created_ns = draft.now_ns;
    if (wanted.kind == EntityKind::role) {
      auto trust = compile_trust(draft.next, wanted.trust);
      if (!trust) {
        return std::unexpected(std::move(trust).error());
      }
      entity.trust = *std::move(trust);
    }
    made = draft.put(std::move(entity));
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::remove(EntityKind kind, std::string name) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    if (auto removable = check_removable(draft.next, **entity); !removable) {
      return removable;
    }
    draft.erase(**entity);
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::edit_membership(std::string user, std::string group, MemberEdit edit) {
  const auto edit_user = [&](Draft& draft) -> Checked<> {
    const auto found = need(draft.next, EntityKind::group, group);
    const auto member = need(draft.next, EntityKind::user, user);
    if (!found || !member) {
      return std::unexpected(!found ? found.error() : member.error());
    }
    Entity changed = **member;
    const Checked<bool> edited = edit(changed, (*found)->name);
    if (edited && *edited) {
      draft.put(std::move(changed));
    }
    return edited ? Checked<>() : std::unexpected(edited.error());
  };
  co_return co_await change(edit_user);
}

Change<> IdentityStore::add_to_group(std::string user, std::string group) {
  return edit_membership(std::move(user), std::move(group),
                         [](Entity& member, const std::string& to) -> Checked<bool> {
                           const bool added = member.groups.insert(to).second;
                           if (member.groups.size() > kMaxGroupsPerUser) {
                             return refuse(IamCode::limit_exceeded,
                                           "Cannot exceed quota for GroupsPerUser: " +
                                               std::to_string(kMaxGroupsPerUser));
                           }
                           return added;
                         });
}

Change<> IdentityStore::remove_from_group(std::string user, std::string group) {
  return edit_membership(std::move(user), std::move(group),
                         [](Entity& member, const std::string& from) -> Checked<bool> {
                           if (member.groups.erase(from) == 0) {
                             return refuse(
                                 IamCode::no_such_entity,
                                 "User " + member.name + " is not in group " + from + ".");
                           }
                           return true;
                         });
}

Change<> IdentityStore::update_role(std::string role,
                                    std::optional<std::string> description,
                                    std::optional<std::int64_t> max_session) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, EntityKind::role, role);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    Entity changed = **entity;
    changed.description = description.value_or(changed.description);
    changed.max_session = max_session.value_or(changed.max_session);
    if (auto text = check_description(changed.description); !text) {
      return text;
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::set_trust(std::string role, std::string text) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, EntityKind::role, role);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    auto trust = compile_trust(draft.next, text);
    if (!trust) {
      return std::unexpected(std::move(trust).error());
    }
    Entity changed = **entity;
    changed.trust = *std::move(trust);
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
