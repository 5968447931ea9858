#include "api/iam/table.h"

#include <algorithm>
#include <array>
#include <ranges>

namespace outcrop::iam {
namespace {

using enum Subject;
constexpr auto kUser = identity::EntityKind::user;
constexpr auto kGroup = identity::EntityKind::group;
constexpr auto kRole = identity::EntityKind::role;

// clang-format off: one action per line is the point of this table.
constexpr std::array kActions = std::to_array<Action>({
    {"CreateUser", "iam", "iam:CreateUser", user, "Path UserName", create_user},
    {"GetUser", "iam", "iam:GetUser", user, "UserName", get_user},
    {"ListUsers", "iam", "iam:ListUsers", account, "PathPrefix Marker MaxItems", list_users},
    {"DeleteUser", "iam", "iam:DeleteUser", user, "UserName", delete_user},
    {"CreateAccessKey", "iam", "iam:CreateAccessKey", user, "UserName", create_access_key},
    {"ListAccessKeys", "iam", "iam:ListAccessKeys", user, "UserName Marker MaxItems", list_access_keys},
    {"UpdateAccessKey", "iam", "iam:UpdateAccessKey", user, "UserName AccessKeyId Status", update_access_key},
    {"DeleteAccessKey", "iam", "iam:DeleteAccessKey", user, "UserName AccessKeyId", delete_access_key},
    {"CreateGroup", "iam", "iam:CreateGroup", group, "Path GroupName", create_group},
    {"GetGroup", "iam", "iam:GetGroup", group, "GroupName Marker MaxItems", get_group},
    {"ListGroups", "iam", "iam:ListGroups", account, "PathPrefix Marker MaxItems", list_groups},
    {"ListGroupsForUser", "iam", "iam:ListGroupsForUser", user, "UserName Marker MaxItems", list_groups_for_user},
    {"DeleteGroup", "iam", "iam:DeleteGroup", group, "GroupName", delete_group},
    {"AddUserToGroup", "iam", "iam:AddUserToGroup", group, "GroupName UserName", add_user_to_group},
    {"RemoveUserFromGroup", "iam", "iam:RemoveUserFromGroup", group, "GroupName UserName", remove_user_from_group},
    {"CreateRole", "iam", "iam:CreateRole", role, "Path RoleName AssumeRolePolicyDocument Description MaxSessionDuration", create_role},
    {"GetRole", "iam", "iam:GetRole", role, "RoleName", get_role},
    {"ListRoles", "iam", "iam:ListRoles", account, "PathPrefix Marker MaxItems", list_roles},
    {"DeleteRole", "iam", "iam:DeleteRole", role, "RoleName", delete_role},
    {"UpdateAssumeRolePolicy", "iam", "iam:UpdateAssumeRolePolicy", role, "RoleName PolicyDocument", update_assume_role_policy},
    {"CreatePolicy", "iam", "iam:CreatePolicy", new_policy, "PolicyName Path PolicyDocument Description", create_policy},
    {"GetPolicy", "iam", "iam:GetPolicy", policy, "PolicyArn", get_policy},
    {"GetPolicyVersion", "iam", "iam:GetPolicyVersion", policy, "PolicyArn VersionId", get_policy_version},
    {"ListPolicies", "iam", "iam:ListPolicies", account, "Scope OnlyAttached PathPrefix Marker MaxItems", list_policies},
    {"ListPolicyVersions", "iam", "iam:ListPolicyVersions", policy, "PolicyArn Marker MaxItems", list_policy_versions},
    {"DeletePolicy", "iam", "iam:DeletePolicy", policy, "PolicyArn", delete_policy},
    {"PutUserPolicy", "iam", "iam:PutUserPolicy", user, "UserName PolicyName PolicyDocument", put_inline_policy<kUser>},
    {"GetUserPolicy", "iam", "iam:GetUserPolicy", user, "UserName PolicyName", get_inline_policy<kUser>},
    {"ListUserPolicies", "iam", "iam:ListUserPolicies", user, "UserName Marker MaxItems", list_inline_policies<kUser>},
    {"DeleteUserPolicy", "iam", "iam:DeleteUserPolicy", user, "UserName PolicyName", delete_inline_policy<kUser>},
    {"AttachUserPolicy", "iam", "iam:AttachUserPolicy", user, "UserName PolicyArn", attach_policy<kUser>},
    {"DetachUserPolicy", "iam", "iam:DetachUserPolicy", user, "UserName PolicyArn", detach_policy<kUser>},
    {"ListAttachedUserPolicies", "iam", "iam:ListAttachedUserPolicies", user, "UserName PathPrefix Marker MaxItems", list_attached_policies<kUser>},
    {"PutGroupPolicy", "iam", "iam:PutGroupPolicy", group, "GroupName PolicyName PolicyDocument", put_inline_policy<kGroup>},
    {"GetGroupPolicy", "iam", "iam:GetGroupPolicy", group, "GroupName PolicyName", get_inline_policy<kGroup>},
    {"ListGroupPolicies", "iam", "iam:ListGroupPolicies", group, "GroupName Marker MaxItems", list_inline_policies<kGroup>},
    {"DeleteGroupPolicy", "iam", "iam:DeleteGroupPolicy", group, "GroupName PolicyName", delete_inline_policy<kGroup>},
    {"AttachGroupPolicy", "iam", "iam:AttachGroupPolicy", group, "GroupName PolicyArn", attach_policy<kGroup>},
    {"DetachGroupPolicy", "iam", "iam:DetachGroupPolicy", group, "GroupName PolicyArn", detach_policy<kGroup>},
    {"ListAttachedGroupPolicies", "iam", "iam:ListAttachedGroupPolicies", group, "GroupName PathPrefix Marker MaxItems", list_attached_policies<kGroup>},
    {"PutRolePolicy", "iam", "iam:PutRolePolicy", role, "RoleName PolicyName PolicyDocument", put_inline_policy<kRole>},
    {"GetRolePolicy", "iam", "iam:GetRolePolicy", role, "RoleName PolicyName", get_inline_policy<kRole>},
    {"ListRolePolicies", "iam", "iam:ListRolePolicies", role, "RoleName Marker MaxItems", list_inline_policies<kRole>},
    {"DeleteRolePolicy", "iam", "iam:DeleteRolePolicy", role, "RoleName PolicyName", delete_inline_policy<kRole>},
    {"AttachRolePolicy", "iam", "iam:AttachRolePolicy", role, "RoleName PolicyArn", attach_policy<kRole>},
    {"DetachRolePolicy", "iam", "iam:DetachRolePolicy", role, "RoleName PolicyArn", detach_policy<kRole>},
    {"ListAttachedRolePolicies", "iam", "iam:ListAttachedRolePolicies", role, "RoleName PathPrefix Marker MaxItems", list_attached_policies<kRole>},
    {"GetCallerIdentity", "sts", "", account, "", get_caller_identity},
    {"GetSessionToken", "sts", "", account, "DurationSeconds", get_session_token},
    {"AssumeRole", "sts", "", account, "RoleArn RoleSessionName Policy DurationSeconds ExternalId", assume_role},
});
// clang-format on

/// What AWS takes for some of these actions, and this server for none. Lists are NAME.member.N.
constexpr auto kNotImplemented = std::to_array<std::string_view>(
    {"PermissionsBoundary", "PolicyArns", "PolicyUsageFilter", "ProvidedContexts", "SerialNumber",
     "SourceIdentity", "Tags", "TokenCode", "TransitiveTagKeys"});

bool has_word(std::string_view words, std::string_view word) {
  return std::ranges::any_of(words | std::views::split(' '),
                             [&](auto&& part) { return std::string_view(part) == word; });
}

}  // namespace

identity::Checked<> check_parameters(const Action& action, const Form& form) {
  for (const auto& [name, value] : form.parameters()) {
    if (name == "Action" || name == "Version" || has_word(action.parameters, name)) {
      continue;
    }
    const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
    if (std::ranges::count(kNotImplemented, stem) != 0) {
      return identity::refuse(identity::IamCode::not_implemented,
                              std::string(stem) + " is not implemented by this server.");
    }
    return identity::refuse(
        identity::IamCode::validation,
        std::string(action.name).append(" does not take the parameter ").append(name).append("."));
  }
  return {};
}

std::span<const Action> actions() { return kActions; }

std::string_view parameter_of(identity::EntityKind kind) {
  switch (kind) {
    case identity::EntityKind::user:
      return "UserName";
    case identity::EntityKind::group:
      return "GroupName";
    case identity::EntityKind::role:
      break;
  }
  return "RoleName";
}

}  // namespace outcrop::iam
