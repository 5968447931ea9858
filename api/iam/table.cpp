#include "api/iam/table.h"

#include <algorithm>
#include <array>

#include "api/iam/lists.h"

namespace outcrop::iam {
namespace {

using enum Subject;
using enum Access;
constexpr auto kUser = identity::EntityKind::user;
constexpr auto kGroup = identity::EntityKind::group;
constexpr auto kRole = identity::EntityKind::role;
using Tagged = identity::IdentityStore::Tagged::Kind;

// clang-format off: one action per line is the point of this table.
constexpr std::array kActions = std::to_array<Action>({
    {"CreateUser", "iam", "iam:CreateUser", user, write, "Path UserName PermissionsBoundary Tags.", create_user},
    {"GetUser", "iam", "iam:GetUser", user, read, "UserName", get_user},
    {"ListUsers", "iam", "iam:ListUsers", account, read, "PathPrefix Marker MaxItems", list_users},
    {"DeleteUser", "iam", "iam:DeleteUser", user, write, "UserName", delete_user},
    {"CreateAccessKey", "iam", "iam:CreateAccessKey", user, write, "UserName", create_access_key},
    {"UpdateUser", "iam", "iam:UpdateUser", user, write, "UserName NewPath NewUserName", rename<kUser>},
    {"ListAccessKeys", "iam", "iam:ListAccessKeys", user, read, "UserName Marker MaxItems", list_access_keys},
    {"UpdateAccessKey", "iam", "iam:UpdateAccessKey", user, write, "UserName AccessKeyId Status", update_access_key},
    {"DeleteAccessKey", "iam", "iam:DeleteAccessKey", user, write, "UserName AccessKeyId", delete_access_key},
    {"GetAccessKeyLastUsed", "iam", "iam:GetAccessKeyLastUsed", key_owner, read, "AccessKeyId", get_access_key_last_used},
    {"CreateGroup", "iam", "iam:CreateGroup", group, write, "Path GroupName", create_group},
    {"GetGroup", "iam", "iam:GetGroup", group, read, "GroupName Marker MaxItems", get_group},
    {"UpdateGroup", "iam", "iam:UpdateGroup", group, write, "GroupName NewPath NewGroupName", rename<kGroup>},
    {"ListGroups", "iam", "iam:ListGroups", account, read, "PathPrefix Marker MaxItems", list_groups},
    {"ListGroupsForUser", "iam", "iam:ListGroupsForUser", user, read, "UserName Marker MaxItems", list_groups_for_user},
    {"DeleteGroup", "iam", "iam:DeleteGroup", group, write, "GroupName", delete_group},
    {"AddUserToGroup", "iam", "iam:AddUserToGroup", group, write, "GroupName UserName", add_user_to_group},
    {"RemoveUserFromGroup", "iam", "iam:RemoveUserFromGroup", group, write, "GroupName UserName", remove_user_from_group},
    {"CreateRole", "iam", "iam:CreateRole", role, write, "Path RoleName AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary Tags.", create_role},
    {"GetRole", "iam", "iam:GetRole", role, read, "RoleName", get_role},
    {"ListRoles", "iam", "iam:ListRoles", account, read, "PathPrefix Marker MaxItems", list_roles},
    {"DeleteRole", "iam", "iam:DeleteRole", role, write, "RoleName", delete_role},
    {"UpdateRole", "iam", "iam:UpdateRole", role, write, "RoleName Description MaxSessionDuration", update_role},
    {"UpdateRoleDescription", "iam", "iam:UpdateRoleDescription", role, write, "RoleName Description", update_role_description},
    {"GetAccountAuthorizationDetails", "iam", "iam:GetAccountAuthorizationDetails", account, read, "Filter. Marker MaxItems", get_account_authorization_details},
    {"GetAccountSummary", "iam", "iam:GetAccountSummary", account, read, "", get_account_summary},
    {"UpdateAssumeRolePolicy", "iam", "iam:UpdateAssumeRolePolicy", role, write, "RoleName PolicyDocument", update_assume_role_policy},
    {"CreatePolicy", "iam", "iam:CreatePolicy", new_policy, write, "PolicyName Path PolicyDocument Description Tags.", create_policy},
    {"GetPolicy", "iam", "iam:GetPolicy", policy, read, "PolicyArn", get_policy},
    {"GetPolicyVersion", "iam", "iam:GetPolicyVersion", policy, read, "PolicyArn VersionId", get_policy_version},
    {"ListPolicies", "iam", "iam:ListPolicies", account, read, "Scope OnlyAttached PathPrefix PolicyUsageFilter Marker MaxItems", list_policies},
    {"ListPolicyVersions", "iam", "iam:ListPolicyVersions", policy, read, "PolicyArn Marker MaxItems", list_policy_versions},
    {"DeletePolicy", "iam", "iam:DeletePolicy", policy, write, "PolicyArn", delete_policy},
    {"CreatePolicyVersion", "iam", "iam:CreatePolicyVersion", policy, write, "PolicyArn PolicyDocument SetAsDefault", create_policy_version},
    {"SetDefaultPolicyVersion", "iam", "iam:SetDefaultPolicyVersion", policy, write, "PolicyArn VersionId", set_default_policy_version},
    {"DeletePolicyVersion", "iam", "iam:DeletePolicyVersion", policy, write, "PolicyArn VersionId", delete_policy_version},
    {"ListEntitiesForPolicy", "iam", "iam:ListEntitiesForPolicy", policy, read, "PolicyArn EntityFilter PathPrefix PolicyUsageFilter Marker MaxItems", list_entities_for_policy},
    {"PutUserPermissionsBoundary", "iam", "iam:PutUserPermissionsBoundary", user, write, "UserName PermissionsBoundary", put_boundary<kUser>},
    {"DeleteUserPermissionsBoundary", "iam", "iam:DeleteUserPermissionsBoundary", user, write, "UserName", delete_boundary<kUser>},
    {"PutUserPolicy", "iam", "iam:PutUserPolicy", user, write, "UserName PolicyName PolicyDocument", put_inline_policy<kUser>},
    {"GetUserPolicy", "iam", "iam:GetUserPolicy", user, read, "UserName PolicyName", get_inline_policy<kUser>},
    {"ListUserPolicies", "iam", "iam:ListUserPolicies", user, read, "UserName Marker MaxItems", list_inline_policies<kUser>},
    {"DeleteUserPolicy", "iam", "iam:DeleteUserPolicy", user, write, "UserName PolicyName", delete_inline_policy<kUser>},
    {"AttachUserPolicy", "iam", "iam:AttachUserPolicy", user, write, "UserName PolicyArn", attach_policy<kUser>},
    {"DetachUserPolicy", "iam", "iam:DetachUserPolicy", user, write, "UserName PolicyArn", detach_policy<kUser>},
    {"ListAttachedUserPolicies", "iam", "iam:ListAttachedUserPolicies", user, read, "UserName PathPrefix Marker MaxItems", list_attached_policies<kUser>},
    {"PutGroupPolicy", "iam", "iam:PutGroupPolicy", group, write, "GroupName PolicyName PolicyDocument", put_inline_policy<kGroup>},
    {"GetGroupPolicy", "iam", "iam:GetGroupPolicy", group, read, "GroupName PolicyName", get_inline_policy<kGroup>},
    {"ListGroupPolicies", "iam", "iam:ListGroupPolicies", group, read, "GroupName Marker MaxItems", list_inline_policies<kGroup>},
    {"DeleteGroupPolicy", "iam", "iam:DeleteGroupPolicy", group, write, "GroupName PolicyName", delete_inline_policy<kGroup>},
    {"AttachGroupPolicy", "iam", "iam:AttachGroupPolicy", group, write, "GroupName PolicyArn", attach_policy<kGroup>},
    {"DetachGroupPolicy", "iam", "iam:DetachGroupPolicy", group, write, "GroupName PolicyArn", detach_policy<kGroup>},
    {"ListAttachedGroupPolicies", "iam", "iam:ListAttachedGroupPolicies", group, read, "GroupName PathPrefix Marker MaxItems", list_attached_policies<kGroup>},
    {"PutRolePermissionsBoundary", "iam", "iam:PutRolePermissionsBoundary", role, write, "RoleName PermissionsBoundary", put_boundary<kRole>},
    {"DeleteRolePermissionsBoundary", "iam", "iam:DeleteRolePermissionsBoundary", role, write, "RoleName", delete_boundary<kRole>},
    {"PutRolePolicy", "iam", "iam:PutRolePolicy", role, write, "RoleName PolicyName PolicyDocument", put_inline_policy<kRole>},
    {"GetRolePolicy", "iam", "iam:GetRolePolicy", role, read, "RoleName PolicyName", get_inline_policy<kRole>},
    {"ListRolePolicies", "iam", "iam:ListRolePolicies", role, read, "RoleName Marker MaxItems", list_inline_policies<kRole>},
    {"DeleteRolePolicy", "iam", "iam:DeleteRolePolicy", role, write, "RoleName PolicyName", delete_inline_policy<kRole>},
    {"AttachRolePolicy", "iam", "iam:AttachRolePolicy", role, write, "RoleName PolicyArn", attach_policy<kRole>},
    {"DetachRolePolicy", "iam", "iam:DetachRolePolicy", role, write, "RoleName PolicyArn", detach_policy<kRole>},
    {"ListAttachedRolePolicies", "iam", "iam:ListAttachedRolePolicies", role, read, "RoleName PathPrefix Marker MaxItems", list_attached_policies<kRole>},
    {"CreateOpenIDConnectProvider", "iam", "iam:CreateOpenIDConnectProvider", new_provider, write, "Url ClientIDList. ThumbprintList. Tags.", create_provider},
    {"GetOpenIDConnectProvider", "iam", "iam:GetOpenIDConnectProvider", provider, read, "OpenIDConnectProviderArn", get_provider},
    {"ListOpenIDConnectProviders", "iam", "iam:ListOpenIDConnectProviders", account, read, "", list_providers},
    {"DeleteOpenIDConnectProvider", "iam", "iam:DeleteOpenIDConnectProvider", provider, write, "OpenIDConnectProviderArn", delete_provider},
    {"AddClientIDToOpenIDConnectProvider", "iam", "iam:AddClientIDToOpenIDConnectProvider", provider, write, "OpenIDConnectProviderArn ClientID", add_client_id},
    {"RemoveClientIDFromOpenIDConnectProvider", "iam", "iam:RemoveClientIDFromOpenIDConnectProvider", provider, write, "OpenIDConnectProviderArn ClientID", remove_client_id},
    {"UpdateOpenIDConnectProviderThumbprint", "iam", "iam:UpdateOpenIDConnectProviderThumbprint", provider, write, "OpenIDConnectProviderArn ThumbprintList.", update_thumbprints},
    {"SimulatePrincipalPolicy", "iam", "iam:SimulatePrincipalPolicy", simulated, read, "PolicySourceArn PolicyInputList. PermissionsBoundaryPolicyInputList. ActionNames. ResourceArns. ResourcePolicy ResourceOwner CallerArn ContextEntries. Marker MaxItems", simulate_principal_policy},
    {"SimulateCustomPolicy", "iam", "iam:SimulateCustomPolicy", account, read, "PolicyInputList. PermissionsBoundaryPolicyInputList. ActionNames. ResourceArns. ResourcePolicy ResourceOwner CallerArn ContextEntries. Marker MaxItems", simulate_custom_policy},
    {"GetContextKeysForPrincipalPolicy", "iam", "iam:GetContextKeysForPrincipalPolicy", simulated, read, "PolicySourceArn PolicyInputList.", get_context_keys_for_principal},
    {"GetContextKeysForCustomPolicy", "iam", "iam:GetContextKeysForCustomPolicy", account, read, "PolicyInputList.", get_context_keys_for_custom},
    {"ListMFADevices", "iam", "iam:ListMFADevices", user, read, "UserName Marker MaxItems", list_mfa_devices},
    {"ListVirtualMFADevices", "iam", "iam:ListVirtualMFADevices", account, read, "AssignmentStatus Marker MaxItems", list_virtual_mfa_devices},
    {"ListSSHPublicKeys", "iam", "iam:ListSSHPublicKeys", user, read, "UserName Marker MaxItems", list_ssh_public_keys},
    {"ListSigningCertificates", "iam", "iam:ListSigningCertificates", user, read, "UserName Marker MaxItems", list_signing_certificates},
    {"ListServiceSpecificCredentials", "iam", "iam:ListServiceSpecificCredentials", user, read, "UserName ServiceName AllUsers Marker MaxItems", list_service_credentials},
    {"GetLoginProfile", "iam", "iam:GetLoginProfile", user, read, "UserName", no_login_profile},
    {"DeleteLoginProfile", "iam", "iam:DeleteLoginProfile", user, write, "UserName", no_login_profile},
    {"TagUser", "iam", "iam:TagUser", user, write, "UserName Tags.", tag<Tagged::user>},
    {"UntagUser", "iam", "iam:UntagUser", user, write, "UserName TagKeys.", untag<Tagged::user>},
    {"ListUserTags", "iam", "iam:ListUserTags", user, read, "UserName Marker MaxItems", list_tags<Tagged::user>},
    {"TagRole", "iam", "iam:TagRole", role, write, "RoleName Tags.", tag<Tagged::role>},
    {"UntagRole", "iam", "iam:UntagRole", role, write, "RoleName TagKeys.", untag<Tagged::role>},
    {"ListRoleTags", "iam", "iam:ListRoleTags", role, read, "RoleName Marker MaxItems", list_tags<Tagged::role>},
    {"TagPolicy", "iam", "iam:TagPolicy", policy, write, "PolicyArn Tags.", tag<Tagged::policy>},
    {"UntagPolicy", "iam", "iam:UntagPolicy", policy, write, "PolicyArn TagKeys.", untag<Tagged::policy>},
    {"ListPolicyTags", "iam", "iam:ListPolicyTags", policy, read, "PolicyArn Marker MaxItems", list_tags<Tagged::policy>},
    {"TagOpenIDConnectProvider", "iam", "iam:TagOpenIDConnectProvider", provider, write, "OpenIDConnectProviderArn Tags.", tag<Tagged::provider>},
    {"UntagOpenIDConnectProvider", "iam", "iam:UntagOpenIDConnectProvider", provider, write, "OpenIDConnectProviderArn TagKeys.", untag<Tagged::provider>},
    {"ListOpenIDConnectProviderTags", "iam", "iam:ListOpenIDConnectProviderTags", provider, read, "OpenIDConnectProviderArn Marker MaxItems", list_tags<Tagged::provider>},
    {"ListInstanceProfiles", "iam", "iam:ListInstanceProfiles", account, read, "PathPrefix Marker MaxItems", list_instance_profiles},
    {"ListInstanceProfilesForRole", "iam", "iam:ListInstanceProfilesForRole", role, read, "RoleName Marker MaxItems", list_instance_profiles_for_role},
    {"GetInstanceProfile", "iam", "iam:GetInstanceProfile", account, read, "InstanceProfileName", no_instance_profile},
    {"ListAccountAliases", "iam", "iam:ListAccountAliases", account, read, "Marker MaxItems", list_account_aliases},
    {"ListServerCertificates", "iam", "iam:ListServerCertificates", account, read, "PathPrefix Marker MaxItems", list_server_certificates},
    {"ListSAMLProviders", "iam", "iam:ListSAMLProviders", account, read, "", list_saml_providers},
    {"GetAccountPasswordPolicy", "iam", "iam:GetAccountPasswordPolicy", account, read, "", no_password_policy},
    {"GetCallerIdentity", "sts", "", self, read, "", get_caller_identity},
    {"GetSessionToken", "sts", "", self, write, "DurationSeconds", get_session_token},
    {"GetAccessKeyInfo", "sts", "sts:GetAccessKeyInfo", account, read, "AccessKeyId", get_access_key_info},
    {"AssumeRole", "sts", "", assumed_role, write, "RoleArn RoleSessionName Policy PolicyArns. DurationSeconds ExternalId Tags. TransitiveTagKeys.", assume_role},
    {"AssumeRoleWithWebIdentity", "sts", "", assumed_role, write, "RoleArn RoleSessionName WebIdentityToken Policy PolicyArns. DurationSeconds", assume_role_with_web_identity},
});
// clang-format on

/// What AWS takes for some of these actions, and this server for none. Lists are NAME.member.N.
constexpr auto kNotImplemented = std::to_array<std::string_view>(
    {"PermissionsBoundary", "PolicyArns", "PolicyUsageFilter", "ProvidedContexts", "ProviderId",
     "ResourceHandlingOption", "SerialNumber", "SourceIdentity", "Tags", "TokenCode",
     "TransitiveTagKeys"});

constexpr std::string_view kLists = "PolicyArns ProvidedContexts Tags TransitiveTagKeys";

}  // namespace

identity::Checked<> check_parameters(const Action& action, const Form& form) {
  for (const auto& [name, value] : form.parameters()) {
    if (name == "UserName" && value.empty()) {
      return identity::refuse(identity::IamCode::validation,
                              "UserName must have at least one character.");
    }
    if (name == "Action" || name == "Version" || has_word(action.parameters, name)) {
      continue;
    }
    const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
    // A list: NAME.member.1 and so on, or NAME alone, without a value, for an empty one.
    const bool listed = has_word(action.parameters, std::string(stem) + ".");
    if (listed &&
        (stem == name ? value.empty() : name.starts_with(std::string(stem) + ".member."))) {
      continue;
    }
    if (stem == name && value.empty() && has_word(kLists, name)) {
      continue;  // how botocore sends an empty list: nothing is asked for
    }
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
