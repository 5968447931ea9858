// Managed and inline policies over the wire.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/lists.h"
#include "api/iam/table.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;

std::unexpected<identity::IamError> missing(std::string message) {
  return identity::refuse(identity::IamCode::no_such_entity, std::move(message));
}

Checked<identity::EntityPtr> named_entity(const Call& call, EntityKind kind) {
  return identity::need(*call.state, kind, call.form.get(parameter_of(kind)));
}

Checked<std::uint32_t> named_version(const Call& call) {
  const std::string id = call.form.get("VersionId");
  const auto number = version_number(id);
  return number ? Checked<std::uint32_t>(*number)
                : identity::refuse(identity::IamCode::validation,
                                   "The versionId " + id + " must be v and a number.");
}

}  // namespace

Answer create_policy(Call& call) {
  const auto path = call.form.find("Path");
  auto tags = tags_of(call.form);
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  const auto made = co_await call.store.create_policy(
      call.form.get("PolicyName"), path ? std::string(*path) : "/", call.form.get("Description"),
      call.form.get("PolicyDocument"), identity::keep_tags(*std::move(tags)));
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.open("Policy");
  write_policy(call.xml, **made, {});
  write_tags(call.xml, (*made)->tags);
  call.xml.close();
  co_return Checked<>{};
}

Answer get_policy(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  call.xml.open("Policy");
  const std::string key = (*policy)->key();
  write_policy(call.xml, **policy,
               {.attached = call.state->attached_to(key).size(),
                .boundaries = call.state->bounded_by(key).size()});
  write_tags(call.xml, (*policy)->tags);
  call.xml.close();
  co_return Checked<>{};
}

Answer get_policy_version(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  const auto number = named_version(call);
  if (!number) {
    co_return std::unexpected(number.error());
  }
  call.xml.open("PolicyVersion");
  if (!write_version(call.xml, **policy, *number, Documents::shown)) {
    co_return missing("Policy " + (*policy)->arn() + " version " + version_id(*number) +
                      " does not exist.");
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer list_policy_versions(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  // There are five at most, but a page may be smaller.
  std::vector<std::string> ids{version_id((*policy)->number)};
  for (const identity::PolicyVersion& other : (*policy)->others) {
    ids.push_back(version_id(other.number));
  }
  const auto page = page_of(call, std::move(ids));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("Versions");
  for (const std::string& id : *page) {
    call.xml.open("member");
    write_version(call.xml, **policy, version_number(id).value_or(0), Documents::hidden);
    call.xml.close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer create_policy_version(Call& call) {
  const std::string_view as_default = call.form.find("SetAsDefault").value_or("false");
  if (as_default != "true" && as_default != "false") {
    co_return identity::refuse(identity::IamCode::validation,
                               "SetAsDefault must be true or false.");
  }
  const auto made = co_await call.store.create_policy_version(
      call.form.get("PolicyArn"), call.form.get("PolicyDocument"), as_default == "true");
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.open("PolicyVersion").text("VersionId", version_id(made->number));
  call.xml.flag("IsDefaultVersion", as_default == "true");
  call.xml.text("CreateDate", date_text(made->created_ns)).close();
  co_return Checked<>{};
}

Answer set_default_policy_version(Call& call) {
  const auto number = named_version(call);
  if (!number) {
    co_return std::unexpected(number.error());
  }
  co_return co_await call.store.set_default_version(call.form.get("PolicyArn"), *number);
}

Answer delete_policy_version(Call& call) {
  const auto number = named_version(call);
  if (!number) {
    co_return std::unexpected(number.error());
  }
  co_return co_await call.store.remove_policy_version(call.form.get("PolicyArn"), *number);
}

namespace {

bool is_usage(std::string_view filter) {
  return filter.empty() || filter == "PermissionsPolicy" || filter == "PermissionsBoundary";
}

/// Who has the policy, attached or as his boundary, as the filters ask.
std::vector<identity::EntityPtr> entities_with(const Call& call, const std::string& policy) {
  const std::string usage = call.form.get("PolicyUsageFilter");
  std::vector<identity::EntityPtr> out;
  if (usage != "PermissionsBoundary") {
    out = call.state->attached_to(policy);
  }
  if (usage != "PermissionsPolicy") {
    std::ranges::copy(call.state->bounded_by(policy), std::back_inserter(out));
  }
  return out;
}

}  // namespace

/// Pages count users, groups and roles together.
Answer list_entities_for_policy(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  const std::string prefix = call.form.get("PathPrefix");
  const std::string filter = call.form.get("EntityFilter");
  constexpr std::string_view kFilters[] = {"User", "Group", "Role"};
  constexpr std::string_view kOthers[] = {"", "LocalManagedPolicy", "AWSManagedPolicy"};
  if ((std::ranges::count(kFilters, filter) == 0 && std::ranges::count(kOthers, filter) == 0) ||
      !is_usage(call.form.get("PolicyUsageFilter"))) {
    co_return identity::refuse(identity::IamCode::validation,
                               "EntityFilter or PolicyUsageFilter is none of AWS's.");
  }
  std::map<std::string, identity::EntityPtr> all;
  for (const identity::EntityPtr& entity : entities_with(call, (*policy)->key())) {
    const auto kind = static_cast<std::size_t>(entity->kind);
    const bool asked = filter.empty() || filter == kFilters[kind];
    if (asked && entity->path.starts_with(prefix)) {
      all.emplace(std::to_string(kind) + "/" + entity->name, entity);
    }
  }
  std::vector<std::string> keys;
  for (const auto& [key, entity] : all) {
    keys.push_back(key);
  }
  const auto page = page_of(call, std::move(keys));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  constexpr std::string_view kLists[] = {"PolicyUsers", "PolicyGroups", "PolicyRoles"};
  for (std::size_t kind = 0; kind < identity::kEntityKinds; ++kind) {
    call.xml.open(kLists[kind]);
    for (const std::string& key : *page) {
      const identity::Entity& entity = *all.at(key);
      if (static_cast<std::size_t>(entity.kind) == kind) {
        call.xml.open("member").text(std::string(kFilters[kind]) + "Name", entity.name);
        call.xml.text(std::string(kFilters[kind]) + "Id", entity.id).close();
      }
    }
    call.xml.close();
  }
  co_return Checked<>{};
}

Answer list_policies(Call& call) {
  const std::string prefix = call.form.get("PathPrefix");
  const std::string_view scope = call.form.find("Scope").value_or("All");
  const std::string_view attached = call.form.find("OnlyAttached").value_or("false");
  const std::string usage = call.form.get("PolicyUsageFilter");
  if ((scope != "All" && scope != "AWS" && scope != "Local") || !is_usage(usage) ||
      (attached != "true" && attached != "false")) {
    co_return identity::refuse(identity::IamCode::validation,
                               "Scope must be All, AWS or Local, OnlyAttached true or false, "
                               "PolicyUsageFilter PermissionsPolicy or PermissionsBoundary.");
  }
  const bool only_used = attached == "true" || !usage.empty();
  const auto all_uses = call.state->policy_uses();
  const auto uses_of = [&](const std::string& key) {
    const auto uses = all_uses.find(key);
    return uses == all_uses.end() ? identity::State::Uses{} : uses->second;
  };
  std::vector<std::string> names;
  for (const identity::ManagedPtr& policy : call.state->all_policies()) {
    const identity::State::Uses uses = uses_of(policy->key());
    const bool used = (usage == "PermissionsBoundary" ? uses.boundaries : uses.attached) != 0;
    if ((scope == "All" || (scope == "AWS") == policy->aws) && policy->path.starts_with(prefix) &&
        (!only_used || used)) {
      names.push_back(policy->key());
    }
  }
  const auto page = page_of(call, std::move(names));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("Policies");
  for (const std::string& name : *page) {
    call.xml.open("member");
    write_policy(call.xml, *call.state->find_policy(name), uses_of(name));
    call.xml.close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer delete_policy(Call& call) {
  co_return co_await call.store.remove_policy(call.form.get("PolicyArn"));
}

template <EntityKind kind>
Answer put_inline_policy(Call& call) {
  co_return co_await call.store.put_inline(kind, call.form.get(parameter_of(kind)),
                                           call.form.get("PolicyName"),
                                           call.form.get("PolicyDocument"));
}

template <EntityKind kind>
Answer get_inline_policy(Call& call) {
  const auto entity = named_entity(call, kind);
  if (!entity) {
    co_return std::unexpected(entity.error());
  }
  const std::string name = call.form.get("PolicyName");
  const auto policy = (*entity)->inline_policies.find(name);
  if (policy == (*entity)->inline_policies.end()) {
    co_return missing("The " + std::string(identity::kind_name(kind)) + " policy with name " +
                      name + " cannot be found.");
  }
  call.xml.text(parameter_of(kind), (*entity)->name).text("PolicyName", name);
  call.xml.text("PolicyDocument", encoded(policy->second->text));
  co_return Checked<>{};
}

template <EntityKind kind>
Answer list_inline_policies(Call& call) {
  const auto entity = named_entity(call, kind);
  if (!entity) {
    co_return std::unexpected(entity.error());
  }
  std::vector<std::string> names;
  for (const auto& [name, policy] : (*entity)->inline_policies) {
    names.push_back(name);
  }
  const auto page = page_of(call, std::move(names));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("PolicyNames");
  for (const std::string& name : *page) {
    call.xml.text("member", name);
  }
  call.xml.close();
  co_return Checked<>{};
}

template <EntityKind kind>
Answer delete_inline_policy(Call& call) {
  co_return co_await call.store.remove_inline(kind, call.form.get(parameter_of(kind)),
                                              call.form.get("PolicyName"));
}

template <EntityKind kind>
Answer put_boundary(Call& call) {
  const std::string arn = call.form.get("PermissionsBoundary");
  if (arn.empty()) {
    co_return identity::refuse(identity::IamCode::validation,
                               "PermissionsBoundary must be the ARN of a policy.");
  }
  co_return co_await call.store.set_boundary(kind, call.form.get(parameter_of(kind)), arn);
}

template <EntityKind kind>
Answer delete_boundary(Call& call) {
  co_return co_await call.store.set_boundary(kind, call.form.get(parameter_of(kind)), {});
}

template <EntityKind kind>
Answer attach_policy(Call& call) {
  co_return co_await call.store.attach(kind, call.form.get(parameter_of(kind)),
                                       call.form.get("PolicyArn"));
}

template <EntityKind kind>
Answer detach_policy(Call& call) {
  co_return co_await call.store.detach(kind, call.form.get(parameter_of(kind)),
                                       call.form.get("PolicyArn"));
}

template <EntityKind kind>
Answer list_attached_policies(Call& call) {
  const auto entity = named_entity(call, kind);
  if (!entity) {
    co_return std::unexpected(entity.error());
  }
  const std::string prefix = call.form.get("PathPrefix");
  std::vector<std::string> names;
  for (const std::string& name : (*entity)->attached) {
    const identity::ManagedPtr policy = call.state->find_policy(name);
    if (policy && policy->path.starts_with(prefix)) {
      names.push_back(name);
    }
  }
  const auto page = page_of(call, std::move(names));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("AttachedPolicies");
  for (const std::string& name : *page) {
    const identity::ManagedPtr policy = call.state->find_policy(name);
    call.xml.open("member").text("PolicyName", policy->name).text("PolicyArn", policy->arn());
    call.xml.close();
  }
  call.xml.close();
  co_return Checked<>{};
}

#define OUTCROP_IAM_KIND(kind)                       \
  template Answer put_inline_policy<kind>(Call&);    \
  template Answer get_inline_policy<kind>(Call&);    \
  template Answer list_inline_policies<kind>(Call&); \
  template Answer delete_inline_policy<kind>(Call&); \
  template Answer attach_policy<kind>(Call&);        \
  template Answer detach_policy<kind>(Call&);        \
  template Answer list_attached_policies<kind>(Call&)
OUTCROP_IAM_KIND(EntityKind::user);
OUTCROP_IAM_KIND(EntityKind::group);
OUTCROP_IAM_KIND(EntityKind::role);
#undef OUTCROP_IAM_KIND
template Answer put_boundary<EntityKind::user>(Call&);
template Answer put_boundary<EntityKind::role>(Call&);
template Answer delete_boundary<EntityKind::user>(Call&);
template Answer delete_boundary<EntityKind::role>(Call&);

}  // namespace outcrop::iam
