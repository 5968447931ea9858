// GetAccountAuthorizationDetails: all identities and policies in one answer, in pages.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/table.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;
using identity::EntityPtr;

constexpr std::string_view kFilters[] = {"User", "Group", "Role", "LocalManagedPolicy",
                                         "AWSManagedPolicy"};

/// One thing of the answer. Its key orders the pages: kinds one after the other.
struct Detail {
  EntityPtr entity;             ///< or
  identity::ManagedPtr policy;  ///< this
};

/// What Filter asks for; without one everything that AWS tells then.
Checked<std::vector<std::string>> filters(const Form& form) {
  std::vector<std::string> out;
  for (const auto& [name, value] : form.parameters()) {
    if (!name.starts_with("Filter.member.")) {
      continue;
    }
    if (std::ranges::count(kFilters, value) == 0) {
      return identity::refuse(identity::IamCode::validation, "There is no Filter " + value + ".");
    }
    out.push_back(value);
  }
  return out.empty() ? std::vector<std::string>(std::begin(kFilters), std::end(kFilters)) : out;
}

std::map<std::string, Detail> details(const identity::State& state,
                                      const std::vector<std::string>& wanted) {
  const auto counts = state.policy_uses();
  const auto asks = [&](std::size_t filter) {
    return std::ranges::count(wanted, kFilters[filter]) != 0;
  };
  std::map<std::string, Detail> out;
  for (const EntityKind kind : {EntityKind::user, EntityKind::group, EntityKind::role}) {
    const auto index = static_cast<std::size_t>(kind);
    for (const auto& [name, entity] : state.entities[index]) {
      if (asks(index)) {
        out[std::to_string(index) + "/" + name].entity = entity;
      }
    }
  }
  for (const identity::ManagedPtr& policy : state.all_policies()) {
    // Of AWS's those that are attached, as there.
    if (asks(policy->aws ? 4 : 3) && (!policy->aws || counts.contains(policy->key()))) {
      out[(policy->aws ? "4/" : "3/") + policy->name].policy = policy;
    }
  }
  return out;
}

void write_attached(Call& call, const identity::Entity& entity) {
  call.xml.open("AttachedManagedPolicies");
  for (const std::string& key : entity.attached) {
    if (const identity::ManagedPtr policy = call.state->find_policy(key)) {
      call.xml.open("member").text("PolicyName", policy->name).text("PolicyArn", policy->arn());
      call.xml.close();
    }
  }
  call.xml.close();
}

void write_detail(Call& call, const identity::Entity& entity) {
  constexpr std::string_view kInline[] = {"UserPolicyList", "GroupPolicyList", "RolePolicyList"};
  call.xml.open("member");
  write_entity(call.xml, *call.state, entity, Extent::whole);
  call.xml.open(kInline[static_cast<std::size_t>(entity.kind)]);
  for (const auto& [name, policy] : entity.inline_policies) {
    call.xml.open("member").text("PolicyName", name);
    call.xml.text("PolicyDocument", encoded(policy->text)).close();
  }
  call.xml.close();
  if (entity.kind == EntityKind::user) {
    call.xml.open("GroupList");
    for (const std::string& group : entity.groups) {
      call.xml.text("member", group);
    }
    call.xml.close();
  } else if (entity.kind == EntityKind::role) {
    call.xml.open("InstanceProfileList").close();
  }
  write_attached(call, entity);
  call.xml.close();
}

void write_detail(Call& call,
                  const identity::ManagedPolicy& policy,
                  const identity::State::Uses& uses) {
  call.xml.open("member");
  write_policy(call.xml, policy, uses);
  call.xml.open("PolicyVersionList");
  write_versions(call.xml, policy, Documents::shown);
  call.xml.close().close();
}

}  // namespace

Answer get_account_authorization_details(Call& call) {
  const auto wanted = filters(call.form);
  if (!wanted) {
    co_return std::unexpected(wanted.error());
  }
  std::map<std::string, Detail> all = details(*call.state, *wanted);
  std::vector<std::string> keys;
  for (const auto& [key, detail] : all) {
    keys.push_back(key);
  }
  const auto page = page_of(call, std::move(keys));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  const auto counts = call.state->policy_uses();
  constexpr std::string_view kLists[] = {"UserDetailList", "GroupDetailList", "RoleDetailList"};
  for (std::size_t kind = 0; kind < identity::kEntityKinds; ++kind) {
    call.xml.open(kLists[kind]);
    for (const std::string& key : *page) {
      const EntityPtr& entity = all[key].entity;
      if (entity && static_cast<std::size_t>(entity->kind) == kind) {
        write_detail(call, *entity);
      }
    }
    call.xml.close();
  }
  call.xml.open("Policies");
  for (const std::string& key : *page) {
    if (const identity::ManagedPtr& policy = all[key].policy) {
      const auto count = counts.find(policy->key());
      write_detail(call, *policy, count == counts.end() ? identity::State::Uses{} : count->second);
    }
  }
  call.xml.close();
  co_return Checked<>{};
}

}  // namespace outcrop::iam
