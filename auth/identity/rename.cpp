// New names and paths of users and groups. Everything that goes by the name follows in the same
// commit: inline policies, access keys, memberships, and the trust policies that go by the ARN.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

Checked<> check_rename(const State& state, const Entity& entity, const IdentityStore::Rename& to) {
  const std::string_view element = entity.kind == EntityKind::user ? "newUserName" : "newGroupName";
  if (to.name) {
    if (auto named = check_name(element, *to.name, longest_name(entity.kind)); !named) {
      return named;
    }
    // Its own name may be written another way.
    const EntityPtr other = state.find(entity.kind, *to.name);
    if (other && other->id != entity.id) {
      return refuse(IamCode::entity_already_exists,
                    std::string(entity.kind == EntityKind::user ? "User" : "Group") +
                        " with name " + *to.name + " already exists.");
    }
  }
  return to.path ? check_path(*to.path) : Checked<>();
}

/// Trust policies of before there were ids in them, or before the user was there.
void keep_trust(Draft& draft, const Entity& entity) {
  const std::string arn = entity.arn();
  for (const auto& [name, role] :
       std::map(draft.next.entities[static_cast<std::size_t>(EntityKind::role)])) {
    if (!role->trust || !role->trust->compiled || !role->trust->text.contains(arn)) {
      continue;
    }
    std::string text = draft.next.with_known_ids(role->trust->text);
    if (text != role->trust->text) {
      Entity changed = *role;
      changed.trust =
          make_policy("trust", std::move(text), policy::PolicyKind::trust, policy::Origin::store);
      draft.put(std::move(changed));
    }
  }
}

void move_inline(Draft& draft, const Entity& entity, const std::string& name) {
  for (const auto& [policy, document] : entity.inline_policies) {
    draft.batch.erase(inline_key(entity.kind, entity.name, policy));
    draft.batch.put(inline_key(entity.kind, name, policy), encode_inline(document->text));
  }
}

void move_keys(Draft& draft, const Entity& user, const std::string& name) {
  for (const AccessKeyPtr& key : draft.next.keys_of(user.name)) {
    AccessKey changed = *key;
    changed.user = name;
    draft.put(std::move(changed));
  }
}

void move_members(Draft& draft, const Entity& group, const std::string& name) {
  for (const EntityPtr& member : draft.next.members_of(group.name)) {
    Entity changed = *member;
    changed.groups.erase(group.name);
    changed.groups.insert(name);
    draft.put(std::move(changed));
  }
}

std::size_t bytes_of(const meta::Batch& batch) {
  std::size_t out = 0;
  for (const meta::Mutation& m : batch.mutations) {
    out += m.key.size() + (m.value ? m.value->size() : 0);
  }
  return out;
}

}  // namespace

Change<> IdentityStore::rename(EntityKind kind, std::string name, Rename to) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    const Entity& old = **entity;
    if (auto fine = check_rename(draft.next, old, to); !fine) {
      return fine;
    }
    Entity changed = old;
    changed.name = to.name.value_or(old.name);
    changed.path = to.path.value_or(old.path);
    if (changed.name == old.name && changed.path == old.path) {
      return {};
    }
    if (kind == EntityKind::user) {
      keep_trust(draft, old);
    }
    if (changed.name != old.name) {
      move_inline(draft, old, changed.name);
      kind == EntityKind::user ? move_keys(draft, old, changed.name)
                               : move_members(draft, old, changed.name);
      draft.erase(old);
    }
    draft.put(std::move(changed));
    // One commit or none: a group may have more members than one takes.
    return bytes_of(draft.batch) <= kMaxRenameBytes
               ? Checked<>()
               : refuse(IamCode::limit_exceeded,
                        "The group has too many members to be renamed at once.");
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
