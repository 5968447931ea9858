// Managed and inline policies over the wire. A managed policy has one version, v1.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/table.h"

namespace outcrop::iam {
namespace {

using identity::Checked;
using identity::EntityKind;

std::unexpected<identity::IamError> missing(std::string message) {
  return identity::refuse(identity::IamCode::no_such_entity, std::move(message));
}

Checked<identity::ManagedPtr> named_policy(const Call& call) {
  const std::string arn = call.form.get("PolicyArn");
  identity::ManagedPtr found = call.state->find_policy_arn(arn);
  return found ? Checked<identity::ManagedPtr>(found)
               : missing("Policy " + arn + " was not found.");
}

Checked<identity::EntityPtr> named_entity(const Call& call, EntityKind kind) {
  return identity::need(*call.state, kind, call.form.get(parameter_of(kind)));
}

void write_version(s3::XmlWriter& xml, const identity::ManagedPolicy& policy, bool document) {
  if (document) {
    xml.text("Document", encoded(policy.document->text));
  }
  xml.text("VersionId", "v1").flag("IsDefaultVersion", true);
  xml.text("CreateDate", date_text(policy.created_ns));
}

}  // namespace

Answer create_policy(Call& call) {
  const auto path = call.form.find("Path");
  const auto made = co_await call.store.create_policy(
      call.form.get("PolicyName"), path ? std::string(*path) : "/", call.form.get("Description"),
      call.form.get("PolicyDocument"));
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.open("Policy");
  write_policy(call.xml, **made, 0);
  call.xml.close();
  co_return Checked<>{};
}

Answer get_policy(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  call.xml.open("Policy");
  write_policy(call.xml, **policy, call.state->attached_to((*policy)->name).size());
  call.xml.close();
  co_return Checked<>{};
}

Answer get_policy_version(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  if (call.form.get("VersionId") != "v1") {
    co_return missing("Policy version " + call.form.get("VersionId") + " does not exist.");
  }
  call.xml.open("PolicyVersion");
  write_version(call.xml, **policy, true);
  call.xml.close();
  co_return Checked<>{};
}

Answer list_policy_versions(Call& call) {
  const auto policy = named_policy(call);
  if (!policy) {
    co_return std::unexpected(policy.error());
  }
  const auto page = page_of(call, {"v1"});
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("Versions");
  if (!page->empty()) {
    call.xml.open("member");
    write_version(call.xml, **policy, false);
    call.xml.close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer list_policies(Call& call) {
  const std::string prefix = call.form.get("PathPrefix");
  const std::string_view scope = call.form.find("Scope").value_or("All");
  const std::string_view attached = call.form.find("OnlyAttached").value_or("false");
  if ((scope != "All" && scope != "AWS" && scope != "Local") ||
      (attached != "true" && attached != "false")) {
    co_return identity::refuse(identity::IamCode::validation,
                               "Scope must be All, AWS or Local, OnlyAttached true or false.");
  }
  const bool only_attached = attached == "true";
  const auto counts = call.state->attachment_counts();
  std::vector<std::string> names;
  for (const auto& [name, policy] : call.state->policies) {
    if (scope != "AWS" && policy->path.starts_with(prefix) &&
        (!only_attached || counts.contains(name))) {
      names.push_back(name);
    }
  }
  const auto page = page_of(call, std::move(names));
  if (!page) {
    co_return std::unexpected(page.error());
  }
  call.xml.open("Policies");
  for (const std::string& name : *page) {
    call.xml.open("member");
    const auto count = counts.find(name);
    write_policy(call.xml, *call.state->find_policy(name),
                 count == counts.end() ? 0 : count->second);
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
    const std::string arn = call.state->find_policy(name)->arn();
    call.xml.open("member").text("PolicyName", name).text("PolicyArn", arn).close();
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

}  // namespace outcrop::iam
