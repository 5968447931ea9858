#include "api/iam/table.h"

#include <array>

namespace outcrop::iam {
namespace {

using enum Subject;
constexpr auto kUser = identity::EntityKind::user;
constexpr auto kGroup = identity::EntityKind::group;
constexpr auto kRole = identity::EntityKind::role;

// clang-format off: one action per line is the point of this table.
constexpr std::array kActions = std::to_array<Action>({
    {"CreateUser", "iam", "iam:CreateUser", user, create_user},
    {"GetUser", "iam", "iam:GetUser", user, get_user},
    {"ListUsers", "iam", "iam:ListUsers", account, list_users},
    {"DeleteUser", "iam", "iam:DeleteUser", user, delete_user},
    {"CreateAccessKey", "iam", "iam:CreateAccessKey", user, create_access_key},
    {"ListAccessKeys", "iam", "iam:ListAccessKeys", user, list_access_keys},
    {"UpdateAccessKey", "iam", "iam:UpdateAccessKey", user, update_access_key},
    {"DeleteAccessKey", "iam", "iam:DeleteAccessKey", user, delete_access_key},
    {"CreateGroup", "iam", "iam:CreateGroup", group, create_group},
    {"GetGroup", "iam", "iam:GetGroup", group, get_group},
    {"ListGroups", "iam", "iam:ListGroups", account, list_groups},
    {"ListGroupsForUser", "iam", "iam:ListGroupsForUser", user, list_groups_for_user},
    {"DeleteGroup", "iam", "iam:DeleteGroup", group, delete_group},
    {"AddUserToGroup", "iam", "iam:AddUserToGroup", group, add_user_to_group},
    {"RemoveUserFromGroup", "iam", "iam:RemoveUserFromGroup", group, remove_user_from_group},
    {"CreateRole", "iam", "iam:CreateRole", role, create_role},
    {"GetRole", "iam", "iam:GetRole", role, get_role},
    {"ListRoles", "iam", "iam:ListRoles", account, list_roles},
    {"DeleteRole", "iam", "iam:DeleteRole", role, delete_role},
    {"UpdateAssumeRolePolicy", "iam", "iam:UpdateAssumeRolePolicy", role, update_assume_role_policy},
    {"CreatePolicy", "iam", "iam:CreatePolicy", new_policy, create_policy},
    {"GetPolicy", "iam", "iam:GetPolicy", policy, get_policy},
    {"GetPolicyVersion", "iam", "iam:GetPolicyVersion", policy, get_policy_version},
    {"ListPolicies", "iam", "iam:ListPolicies", account, list_policies},
    {"ListPolicyVersions", "iam", "iam:ListPolicyVersions", policy, list_policy_versions},
    {"DeletePolicy", "iam", "iam:DeletePolicy", policy, delete_policy},
    {"PutUserPolicy", "iam", "iam:PutUserPolicy", user, put_inline_policy<kUser>},
    {"GetUserPolicy", "iam", "iam:GetUserPolicy", user, get_inline_policy<kUser>},
    {"ListUserPolicies", "iam", "iam:ListUserPolicies", user, list_inline_policies<kUser>},
    {"DeleteUserPolicy", "iam", "iam:DeleteUserPolicy", user, delete_inline_policy<kUser>},
    {"AttachUserPolicy", "iam", "iam:AttachUserPolicy", user, attach_policy<kUser>},
    {"DetachUserPolicy", "iam", "iam:DetachUserPolicy", user, detach_policy<kUser>},
    {"ListAttachedUserPolicies", "iam", "iam:ListAttachedUserPolicies", user, list_attached_policies<kUser>},
    {"PutGroupPolicy", "iam", "iam:PutGroupPolicy", group, put_inline_policy<kGroup>},
    {"GetGroupPolicy", "iam", "iam:GetGroupPolicy", group, get_inline_policy<kGroup>},
    {"ListGroupPolicies", "iam", "iam:ListGroupPolicies", group, list_inline_policies<kGroup>},
    {"DeleteGroupPolicy", "iam", "iam:DeleteGroupPolicy", group, delete_inline_policy<kGroup>},
    {"AttachGroupPolicy", "iam", "iam:AttachGroupPolicy", group, attach_policy<kGroup>},
    {"DetachGroupPolicy", "iam", "iam:DetachGroupPolicy", group, detach_policy<kGroup>},
    {"ListAttachedGroupPolicies", "iam", "iam:ListAttachedGroupPolicies", group, list_attached_policies<kGroup>},
    {"PutRolePolicy", "iam", "iam:PutRolePolicy", role, put_inline_policy<kRole>},
    {"GetRolePolicy", "iam", "iam:GetRolePolicy", role, get_inline_policy<kRole>},
    {"ListRolePolicies", "iam", "iam:ListRolePolicies", role, list_inline_policies<kRole>},
    {"DeleteRolePolicy", "iam", "iam:DeleteRolePolicy", role, delete_inline_policy<kRole>},
    {"AttachRolePolicy", "iam", "iam:AttachRolePolicy", role, attach_policy<kRole>},
    {"DetachRolePolicy", "iam", "iam:DetachRolePolicy", role, detach_policy<kRole>},
    {"ListAttachedRolePolicies", "iam", "iam:ListAttachedRolePolicies", role, list_attached_policies<kRole>},
    {"GetCallerIdentity", "sts", "", account, get_caller_identity},
    {"GetSessionToken", "sts", "", account, get_session_token},
    {"AssumeRole", "sts", "", account, assume_role},
});
// clang-format on

}  // namespace

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
