// Managed and inline policies, and what they are attached to.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "auth/identity/names.h"

namespace outcrop::identity {
namespace {

Checked<PolicyPtr> compile_document(const std::string& name, const std::string& text) {
  PolicyPtr out = make_policy(name, text);
  if (!out->compiled) {
    return refuse(IamCode::malformed_policy,
                  policy::Policy::compile(text, policy::PolicyKind::identity).error());
  }
  return out;
}

std::size_t most_inline_bytes(EntityKind kind) {
  switch (kind) {
    case EntityKind::user:
      return kMaxInlineUserBytes;
    case EntityKind::group:
      return kMaxInlineGroupBytes;
    case EntityKind::role:
      break;
  }
  return kMaxInlineRoleBytes;
}

Checked<> check_inline_size(const Entity& entity) {
  std::size_t bytes = 0;
  for (const auto& [name, policy] : entity.inline_policies) {
    // As AWS counts: without white space.
    bytes += static_cast<std::size_t>(std::ranges::count_if(
        policy->text, [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; }));
  }
  const std::size_t most = most_inline_bytes(entity.kind);
  if (bytes > most || entity.inline_policies.size() > kMaxInlinePolicies) {
    return refuse(IamCode::limit_exceeded,
                  "Maximum policy size of " + std::to_string(most) + " bytes exceeded for " +
                      std::string(kind_name(entity.kind)) + " " + entity.name);
  }
  return {};
}

std::unexpected<IamError> no_version(const std::string& arn, std::uint32_t number) {
  return refuse(IamCode::no_such_entity,
                "Policy " + arn + " version v" + std::to_string(number) + " does not exist.");
}

/// The other one changes places with it. False: there is none of that number.
bool make_default(ManagedPolicy& policy, std::uint32_t number) {
  const auto other = std::ranges::find(policy.others, number, &PolicyVersion::number);
  if (other == policy.others.end()) {
    return false;
  }
  PolicyVersion old{policy.number, policy.version_ns, policy.document->text};
  policy.number = other->number;
  policy.version_ns = other->created_ns;
  policy.document = make_policy(policy.name, std::move(other->text), policy::PolicyKind::identity,
                                policy::Origin::store);
  *other = std::move(old);
  std::ranges::sort(policy.others, {}, &PolicyVersion::number);
  return true;
}

Checked<PolicyPtr> compile_managed(const std::string& name, const std::string& text) {
  if (text.size() > kMaxManagedBytes) {
    return refuse(IamCode::limit_exceeded,
                  "Cannot exceed quota for PolicySize: " + std::to_string(kMaxManagedBytes));
  }
  return compile_document(name, text);
}

}  // namespace

Checked<ManagedPtr> need_policy(const State& state, std::string_view arn) {
  ManagedPtr found = state.find_policy_arn(arn);
  if (!found) {
    return refuse(IamCode::no_such_entity,
                  "Policy " + std::string(arn) + " does not exist or is not attachable.");
  }
  return found;
}

Checked<ManagedPtr> need_own_policy(const State& state, std::string_view arn) {
  auto found = need_policy(state, arn);
  if (found && (*found)->aws) {
    return refuse(IamCode::access_denied,
                  "Policy " + std::string(arn) + " is managed by AWS and cannot be changed.");
  }
  return found;
}

Change<ManagedPtr> IdentityStore::create_policy(
    std::string name, std::string path, std::string description, std::string text, TagsPtr tags) {
  ManagedPtr made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    if (auto named = check_name("policyName", name, kMaxPolicyName); !named) {
      return named;
    }
    if (auto checked = check_path(path); !checked) {
      return checked;
    }
    if (auto checked = check_description(description); !checked) {
      return checked;
    }
    auto document = compile_managed(name, text);
    if (!document) {
      return std::unexpected(std::move(document).error());
    }
    const bool exists = std::ranges::any_of(draft.next.policies, [&](const auto& entry) {
      return policy::same_text(entry.first, name);
    });
    if (exists) {
      return refuse(
          IamCode::entity_already_exists,
          "A policy called " + name + " already exists. Duplicate names are not allowed.");
    }
    if (draft.next.policies.size() >= kMaxPolicies) {
      return refuse(IamCode::limit_exceeded,
                    "Cannot exceed quota for PoliciesPerAccount: " + std::to_string(kMaxPolicies));
    }
    ManagedPolicy managed;
    managed.name = name;
    managed.path = path;
    managed.description = description;
    managed.id = new_id("ANPA", draft.random);
    managed.created_ns = managed.version_ns = draft.now_ns;
    managed.document = *std::move(document);
    managed.tags = tags;
    made = draft.put(std::move(managed));
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::remove_policy(std::string arn) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_policy(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    const std::string name = (*found)->name;
    if (!draft.next.attached_to(name).empty() || !draft.next.bounded_by(name).empty()) {
      return refuse(IamCode::delete_conflict, "Cannot delete a policy attached to entities.");
    }
    if (!(*found)->others.empty()) {
      return refuse(IamCode::delete_conflict,
                    "This policy has more than one version. Before you delete a policy, you must "
                    "delete the policy's versions. The default version is deleted with the "
                    "policy.");
    }
    draft.batch.erase(managed_key(name));
    draft.next.policies.erase(name);
    return {};
  };
  co_return co_await change(edit);
}

Change<PolicyVersion> IdentityStore::create_policy_version(std::string arn,
                                                           std::string text,
                                                           bool as_default) {
  PolicyVersion made;
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_policy(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    auto document = compile_managed((*found)->name, text);
    if (!document) {
      return std::unexpected(std::move(document).error());
    }
    ManagedPolicy changed = **found;
    if (changed.others.size() + 1 >= kMaxPolicyVersions) {
      return refuse(IamCode::limit_exceeded,
                    "A managed policy can have up to " + std::to_string(kMaxPolicyVersions) +
                        " versions. Before you create a new version, you must delete an existing "
                        "version.");
    }
    made = {++changed.last, draft.now_ns, text};
    changed.others.push_back(made);
    if (as_default) {
      make_default(changed, made.number);
    }
    draft.put(std::move(changed));
    return {};
  };
  if (auto changed = co_await change(edit); !changed) {
    co_return std::unexpected(std::move(changed).error());
  }
  co_return made;
}

Change<> IdentityStore::set_default_version(std::string arn, std::uint32_t number) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_policy(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    ManagedPolicy changed = **found;
    if (changed.number == number) {
      return {};
    }
    if (!make_default(changed, number)) {
      return no_version(arn, number);
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::remove_policy_version(std::string arn, std::uint32_t number) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto found = need_own_policy(draft.next, arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    if ((*found)->number == number) {
      return refuse(IamCode::delete_conflict, "Cannot delete the default version of a policy.");
    }
    ManagedPolicy changed = **found;
    if (std::erase_if(changed.others, [&](const auto& v) { return v.number == number; }) == 0) {
      return no_version(arn, number);
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::attach(EntityKind kind, std::string name, std::string policy_arn) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    const auto found = need_policy(draft.next, policy_arn);
    if (!found) {
      return std::unexpected(found.error());
    }
    Entity changed = **entity;
    if (!changed.attached.insert((*found)->key()).second) {
      return {};
    }
    if (changed.attached.size() > kMaxAttached) {
      return refuse(IamCode::limit_exceeded,
                    "Cannot exceed quota for PoliciesPerUser: " + std::to_string(kMaxAttached));
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::detach(EntityKind kind, std::string name, std::string policy_arn) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    const ManagedPtr found = draft.next.find_policy_arn(policy_arn);
    Entity changed = **entity;
    if (!found || changed.attached.erase(found->key()) == 0) {
      return refuse(IamCode::no_such_entity, "Policy " + policy_arn + " was not found.");
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::set_boundary(EntityKind kind, std::string name, std::string policy_arn) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    Entity changed = **entity;
    changed.boundary.clear();
    if (!policy_arn.empty()) {
      const auto found = need_policy(draft.next, policy_arn);
      if (!found) {
        return std::unexpected(found.error());
      }
      changed.boundary = (*found)->key();
    }
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::put_inline(EntityKind kind,
                                   std::string name,
                                   std::string policy,
                                   std::string text) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    if (auto named = check_name("policyName", policy, kMaxPolicyName); !named) {
      return named;
    }
    auto document = compile_document(policy, text);
    if (!document) {
      return std::unexpected(std::move(document).error());
    }
    Entity changed = **entity;
    changed.inline_policies.insert_or_assign(policy, *std::move(document));
    if (auto fits = check_inline_size(changed); !fits) {
      return fits;
    }
    draft.batch.put(inline_key(kind, (*entity)->name, policy), encode_inline(text));
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

Change<> IdentityStore::remove_inline(EntityKind kind, std::string name, std::string policy) {
  const auto edit = [&](Draft& draft) -> Checked<> {
    const auto entity = need(draft.next, kind, name);
    if (!entity) {
      return std::unexpected(entity.error());
    }
    Entity changed = **entity;
    if (changed.inline_policies.erase(policy) == 0) {
      return refuse(IamCode::no_such_entity, "The " + std::string(kind_name(kind)) +
                                                 " policy with name " + policy +
                                                 " cannot be found.");
    }
    draft.batch.erase(inline_key(kind, (*entity)->name, policy));
    draft.put(std::move(changed));
    return {};
  };
  co_return co_await change(edit);
}

}  // namespace outcrop::identity
