#include "api/iam/form_context.h"

#include <algorithm>
#include <array>

#include "auth/policy/pattern.h"

namespace outcrop::iam {

using policy::Key;

FormContext::FormContext(const policy::Context& request, const Form& form, About about)
    : x_request(request), x_form(form), x_about(std::move(about)) {
  constexpr std::string_view kTags = "Tags.member.", kKey = ".Key";
  for (const auto& [name, value] : form.parameters()) {
    if (name.starts_with(kTags) && name.ends_with(kKey)) {
      const std::string stem = name.substr(0, name.size() - kKey.size());
      x_tags.emplace_back(value, form.find(stem + ".Value").value_or(""));
      x_tag_keys.emplace_back(value);
    } else if (name.starts_with("TagKeys.member.")) {
      x_tag_keys.emplace_back(value);
    } else if (name.starts_with("TransitiveTagKeys.member.")) {
      x_transitive.emplace_back(value);
    }
  }
}

void FormContext::values(const policy::KeyName& key, policy::Values& out) const {
  const auto add_parameter = [&](std::string_view name) {
    if (const auto value = x_form.find(name)) {
      out.add(*value);
    }
  };
  const auto add_all = [&](const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) {
      out.add(text);
    }
  };
  switch (key.key) {
    case Key::external_id:
      return add_parameter("ExternalId");
    case Key::role_session_name:
      return add_parameter("RoleSessionName");
    case Key::tag_keys:
      return add_all(x_tag_keys);
    case Key::transitive_tag_keys:
      return add_all(x_transitive);
    case Key::request_tag:
      for (const auto& [name, value] : x_tags) {
        if (policy::same_text(name, key.suffix)) {
          out.add(value);
        }
      }
      return;
    case Key::resource_tag:
      if (const std::string* const tag = identity::find_tag(x_about.tags, key.suffix)) {
        out.add(*tag);
      }
      return;
    case Key::permissions_boundary:
      return add_boundary(out);
    case Key::policy_arn:
      if (const std::string action = x_form.get("Action");
          action.starts_with("Attach") || action.starts_with("Detach")) {
        add_parameter("PolicyArn");
      }
      return;
    default:
      return x_request.values(key, out);
  }
}

/// The one that the request sets, or else, of what changes the rights of a user or role, the one
/// that he has. Other actions do not have the key.
void FormContext::add_boundary(policy::Values& out) const {
  constexpr auto kChanges = std::to_array<std::string_view>(
      {"AttachRolePolicy", "AttachUserPolicy", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
       "DeleteUserPermissionsBoundary", "DeleteUserPolicy", "DetachRolePolicy", "DetachUserPolicy",
       "PutRolePolicy", "PutUserPolicy"});
  if (const auto wanted = x_form.find("PermissionsBoundary")) {
    out.add(*wanted);
  } else if (!x_about.boundary.empty() &&
             std::ranges::count(kChanges, x_form.find("Action").value_or("")) != 0) {
    out.add(x_about.boundary);
  }
}

}  // namespace outcrop::iam
