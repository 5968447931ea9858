#include "auth/policy/action.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "auth/policy/pattern.h"

namespace outcrop::policy {
namespace {

struct Row {
  std::string_view name;
  Target target;
};
using enum Target;

// In byte order, upper case before lower case.
constexpr auto kActions = std::to_array<Row>({
    {"iam:AddClientIDToOpenIDConnectProvider", account},
    {"iam:AddUserToGroup", account},
    {"iam:AttachGroupPolicy", account},
    {"iam:AttachRolePolicy", account},
    {"iam:AttachUserPolicy", account},
    {"iam:CreateAccessKey", account},
    {"iam:CreateGroup", account},
    {"iam:CreateOpenIDConnectProvider", account},
    {"iam:CreatePolicy", account},
    {"iam:CreatePolicyVersion", account},
    {"iam:CreateRole", account},
    {"iam:CreateUser", account},
    {"iam:DeleteAccessKey", account},
    {"iam:DeleteGroup", account},
    {"iam:DeleteGroupPolicy", account},
    {"iam:DeleteLoginProfile", account},
    {"iam:DeleteOpenIDConnectProvider", account},
    {"iam:DeletePolicy", account},
    {"iam:DeletePolicyVersion", account},
    {"iam:DeleteRole", account},
    {"iam:DeleteRolePermissionsBoundary", account},
    {"iam:DeleteRolePolicy", account},
    {"iam:DeleteUser", account},
    {"iam:DeleteUserPermissionsBoundary", account},
    {"iam:DeleteUserPolicy", account},
    {"iam:DetachGroupPolicy", account},
    {"iam:DetachRolePolicy", account},
    {"iam:DetachUserPolicy", account},
    {"iam:GetAccessKeyLastUsed", account},
    {"iam:GetAccountAuthorizationDetails", account},
    {"iam:GetAccountPasswordPolicy", account},
    {"iam:GetAccountSummary", account},
    {"iam:GetContextKeysForCustomPolicy", account},
    {"iam:GetContextKeysForPrincipalPolicy", account},
    {"iam:GetGroup", account},
    {"iam:GetGroupPolicy", account},
    {"iam:GetInstanceProfile", account},
    {"iam:GetLoginProfile", account},
    {"iam:GetOpenIDConnectProvider", account},
    {"iam:GetPolicy", account},
    {"iam:GetPolicyVersion", account},
    {"iam:GetRole", account},
    {"iam:GetRolePolicy", account},
    {"iam:GetUser", account},
    {"iam:GetUserPolicy", account},
    {"iam:ListAccessKeys", account},
    {"iam:ListAccountAliases", account},
    {"iam:ListAttachedGroupPolicies", account},
    {"iam:ListAttachedRolePolicies", account},
    {"iam:ListAttachedUserPolicies", account},
    {"iam:ListEntitiesForPolicy", account},
    {"iam:ListGroupPolicies", account},
    {"iam:ListGroups", account},
    {"iam:ListGroupsForUser", account},
    {"iam:ListInstanceProfiles", account},
    {"iam:ListInstanceProfilesForRole", account},
    {"iam:ListMFADevices", account},
    {"iam:ListOpenIDConnectProviderTags", account},
    {"iam:ListOpenIDConnectProviders", account},
    {"iam:ListPolicies", account},
    {"iam:ListPolicyTags", account},
    {"iam:ListPolicyVersions", account},
    {"iam:ListRolePolicies", account},
    {"iam:ListRoleTags", account},
    {"iam:ListRoles", account},
    {"iam:ListSAMLProviders", account},
    {"iam:ListSSHPublicKeys", account},
    {"iam:ListServerCertificates", account},
    {"iam:ListServiceSpecificCredentials", account},
    {"iam:ListSigningCertificates", account},
    {"iam:ListUserPolicies", account},
    {"iam:ListUserTags", account},
    {"iam:ListUsers", account},
    {"iam:ListVirtualMFADevices", account},
    {"iam:PutGroupPolicy", account},
    {"iam:PutRolePermissionsBoundary", account},
    {"iam:PutRolePolicy", account},
    {"iam:PutUserPermissionsBoundary", account},
    {"iam:PutUserPolicy", account},
    {"iam:RemoveClientIDFromOpenIDConnectProvider", account},
    {"iam:RemoveUserFromGroup", account},
    {"iam:SetDefaultPolicyVersion", account},
    {"iam:SimulateCustomPolicy", account},
    {"iam:SimulatePrincipalPolicy", account},
    {"iam:TagOpenIDConnectProvider", account},
    {"iam:TagPolicy", account},
    {"iam:TagRole", account},
    {"iam:TagUser", account},
    {"iam:UntagOpenIDConnectProvider", account},
    {"iam:UntagPolicy", account},
    {"iam:UntagRole", account},
    {"iam:UntagUser", account},
    {"iam:UpdateAccessKey", account},
    {"iam:UpdateAssumeRolePolicy", account},
    {"iam:UpdateGroup", account},
    {"iam:UpdateOpenIDConnectProviderThumbprint", account},
    {"iam:UpdateRole", account},
    {"iam:UpdateRoleDescription", account},
    {"iam:UpdateUser", account},
    {"s3:AbortMultipartUpload", object},
    {"s3:BypassGovernanceRetention", object},
    {"s3:CreateBucket", bucket},
    {"s3:DeleteBucket", bucket},
    {"s3:DeleteBucketPolicy", bucket},
    {"s3:DeleteBucketWebsite", bucket},
    {"s3:DeleteObject", object},
    {"s3:DeleteObjectTagging", object},
    {"s3:DeleteObjectVersion", object},
    {"s3:DeleteObjectVersionTagging", object},
    {"s3:GetAccelerateConfiguration", bucket},
    {"s3:GetAnalyticsConfiguration", bucket},
    {"s3:GetBucketAcl", bucket},
    {"s3:GetBucketCORS", bucket},
    {"s3:GetBucketLocation", bucket},
    {"s3:GetBucketLogging", bucket},
    {"s3:GetBucketNotification", bucket},
    {"s3:GetBucketObjectLockConfiguration", bucket},
    {"s3:GetBucketOwnershipControls", bucket},
    {"s3:GetBucketPolicy", bucket},
    {"s3:GetBucketPolicyStatus", bucket},
    {"s3:GetBucketPublicAccessBlock", bucket},
    {"s3:GetBucketRequestPayment", bucket},
    {"s3:GetBucketTagging", bucket},
    {"s3:GetBucketVersioning", bucket},
    {"s3:GetBucketWebsite", bucket},
    {"s3:GetEncryptionConfiguration", bucket},
    {"s3:GetIntelligentTieringConfiguration", bucket},
    {"s3:GetInventoryConfiguration", bucket},
    {"s3:GetLifecycleConfiguration", bucket},
    {"s3:GetMetricsConfiguration", bucket},
    {"s3:GetObject", object},
    {"s3:GetObjectAcl", object},
    {"s3:GetObjectAttributes", object},
    {"s3:GetObjectLegalHold", object},
    {"s3:GetObjectRetention", object},
    {"s3:GetObjectTagging", object},
    {"s3:GetObjectTorrent", object},
    {"s3:GetObjectVersion", object},
    {"s3:GetObjectVersionAcl", object},
    {"s3:GetObjectVersionAttributes", object},
    {"s3:GetObjectVersionForReplication", object},
    {"s3:GetObjectVersionTagging", object},
    {"s3:GetObjectVersionTorrent", object},
    {"s3:GetReplicationConfiguration", bucket},
    {"s3:ListAllMyBuckets", account},
    {"s3:ListBucket", bucket},
    {"s3:ListBucketMultipartUploads", bucket},
    {"s3:ListBucketVersions", bucket},
    {"s3:ListMultipartUploadParts", object},
    {"s3:ObjectOwnerOverrideToBucketOwner", object},
    {"s3:PutAccelerateConfiguration", bucket},
    {"s3:PutAnalyticsConfiguration", bucket},
    {"s3:PutBucketAcl", bucket},
    {"s3:PutBucketCORS", bucket},
    {"s3:PutBucketLogging", bucket},
    {"s3:PutBucketNotification", bucket},
    {"s3:PutBucketObjectLockConfiguration", bucket},
    {"s3:PutBucketOwnershipControls", bucket},
    {"s3:PutBucketPolicy", bucket},
    {"s3:PutBucketPublicAccessBlock", bucket},
    {"s3:PutBucketRequestPayment", bucket},
    {"s3:PutBucketTagging", bucket},
    {"s3:PutBucketVersioning", bucket},
    {"s3:PutBucketWebsite", bucket},
    {"s3:PutEncryptionConfiguration", bucket},
    {"s3:PutIntelligentTieringConfiguration", bucket},
    {"s3:PutInventoryConfiguration", bucket},
    {"s3:PutLifecycleConfiguration", bucket},
    {"s3:PutMetricsConfiguration", bucket},
    {"s3:PutObject", object},
    {"s3:PutObjectAcl", object},
    {"s3:PutObjectLegalHold", object},
    {"s3:PutObjectRetention", object},
    {"s3:PutObjectTagging", object},
    {"s3:PutObjectVersionAcl", object},
    {"s3:PutObjectVersionTagging", object},
    {"s3:PutReplicationConfiguration", bucket},
    {"s3:ReplicateDelete", object},
    {"s3:ReplicateObject", object},
    {"s3:ReplicateTags", object},
    {"s3:RestoreObject", object},
    {"s3:UpdateObjectEncryption", object},
    {"sts:AssumeRole", account},
    {"sts:AssumeRoleWithWebIdentity", account},
    {"sts:GetAccessKeyInfo", account},
    {"sts:GetCallerIdentity", account},
    {"sts:GetSessionToken", account},
    {"sts:SetSourceIdentity", account},
    {"sts:TagSession", account},
});
static_assert(std::ranges::is_sorted(kActions, {}, &Row::name));
static_assert(kActions.size() <= kMaxActions);

/// The rest of AWS's actions of these services. Nothing here needs them, so they have no number.
constexpr std::string_view kOthers =
    "iam:AddRoleToInstanceProfile iam:ChangePassword iam:CreateAccountAlias "
    "iam:CreateInstanceProfile iam:CreateLoginProfile iam:CreateSAMLProvider "
    "iam:CreateServiceLinkedRole iam:CreateServiceSpecificCredential iam:CreateVirtualMFADevice "
    "iam:DeactivateMFADevice iam:DeleteAccountAlias iam:DeleteAccountPasswordPolicy "
    "iam:DeleteInstanceProfile iam:DeleteSAMLProvider iam:DeleteSSHPublicKey "
    "iam:DeleteServerCertificate iam:DeleteServiceLinkedRole iam:DeleteServiceSpecificCredential "
    "iam:DeleteSigningCertificate iam:DeleteVirtualMFADevice iam:EnableMFADevice "
    "iam:GenerateCredentialReport iam:GenerateOrganizationsAccessReport "
    "iam:GenerateServiceLastAccessedDetails iam:GetCredentialReport "
    "iam:GetOrganizationsAccessReport iam:GetSAMLProvider iam:GetSSHPublicKey "
    "iam:GetServerCertificate iam:GetServiceLastAccessedDetails "
    "iam:GetServiceLastAccessedDetailsWithEntities iam:GetServiceLinkedRoleDeletionStatus "
    "iam:ListInstanceProfileTags iam:ListMFADeviceTags iam:ListPoliciesGrantingServiceAccess "
    "iam:ListSAMLProviderTags iam:ListServerCertificateTags iam:PassRole "
    "iam:RemoveRoleFromInstanceProfile iam:ResetServiceSpecificCredential iam:ResyncMFADevice "
    "iam:SetSecurityTokenServicePreferences iam:TagInstanceProfile iam:TagMFADevice "
    "iam:TagSAMLProvider iam:TagServerCertificate iam:UntagInstanceProfile iam:UntagMFADevice "
    "iam:UntagSAMLProvider iam:UntagServerCertificate iam:UpdateAccountPasswordPolicy "
    "iam:UpdateLoginProfile iam:UpdateSAMLProvider iam:UpdateSSHPublicKey "
    "iam:UpdateServerCertificate iam:UpdateServiceSpecificCredential iam:UpdateSigningCertificate "
    "iam:UploadSSHPublicKey iam:UploadServerCertificate iam:UploadSigningCertificate "
    "iam:GetMFADevice iam:ListOrganizationsFeatures "
    "iam:EnableOrganizationsRootCredentialsManagement iam:EnableOrganizationsRootSessions "
    "iam:DisableOrganizationsRootCredentialsManagement iam:DisableOrganizationsRootSessions "
    "s3:AssociateAccessGrantsIdentityCenter s3:CreateAccessGrant s3:CreateAccessGrantsInstance "
    "s3:CreateAccessGrantsLocation s3:CreateAccessPoint s3:CreateAccessPointForObjectLambda "
    "s3:CreateBucketMetadataTableConfiguration s3:CreateJob s3:CreateMultiRegionAccessPoint "
    "s3:CreateStorageLensGroup s3:DeleteAccessGrant s3:DeleteAccessGrantsInstance "
    "s3:DeleteAccessGrantsInstanceResourcePolicy s3:DeleteAccessGrantsLocation "
    "s3:DeleteAccessPoint s3:DeleteAccessPointForObjectLambda s3:DeleteAccessPointPolicy "
    "s3:DeleteAccessPointPolicyForObjectLambda s3:DeleteBucketMetadataTableConfiguration "
    "s3:DeleteJobTagging s3:DeleteMultiRegionAccessPoint s3:DeleteStorageLensConfiguration "
    "s3:DeleteStorageLensConfigurationTagging s3:DeleteStorageLensGroup s3:DescribeJob "
    "s3:DescribeMultiRegionAccessPointOperation s3:DissociateAccessGrantsIdentityCenter "
    "s3:GetAccessGrant s3:GetAccessGrantsInstance s3:GetAccessGrantsInstanceForPrefix "
    "s3:GetAccessGrantsInstanceResourcePolicy s3:GetAccessGrantsLocation s3:GetAccessPoint "
    "s3:GetAccessPointConfigurationForObjectLambda s3:GetAccessPointForObjectLambda "
    "s3:GetAccessPointPolicy s3:GetAccessPointPolicyForObjectLambda s3:GetAccessPointPolicyStatus "
    "s3:GetAccessPointPolicyStatusForObjectLambda s3:GetAccountPublicAccessBlock "
    "s3:GetBucketMetadataTableConfiguration s3:GetDataAccess s3:GetJobTagging "
    "s3:GetMultiRegionAccessPoint s3:GetMultiRegionAccessPointPolicy "
    "s3:GetMultiRegionAccessPointPolicyStatus s3:GetMultiRegionAccessPointRoutes "
    "s3:GetStorageLensConfiguration s3:GetStorageLensConfigurationTagging "
    "s3:GetStorageLensDashboard s3:GetStorageLensGroup s3:InitiateReplication s3:ListAccessGrants "
    "s3:ListAccessGrantsInstances s3:ListAccessGrantsLocations s3:ListAccessPoints "
    "s3:ListAccessPointsForObjectLambda s3:ListCallerAccessGrants s3:ListJobs "
    "s3:ListMultiRegionAccessPoints s3:ListStorageLensConfigurations s3:ListStorageLensGroups "
    "s3:ListTagsForResource s3:PauseReplication s3:PutAccessGrantsInstanceResourcePolicy "
    "s3:PutAccessPointConfigurationForObjectLambda s3:PutAccessPointPolicy "
    "s3:PutAccessPointPolicyForObjectLambda s3:PutAccountPublicAccessBlock s3:PutJobTagging "
    "s3:PutMultiRegionAccessPointPolicy s3:PutStorageLensConfiguration "
    "s3:PutStorageLensConfigurationTagging s3:SubmitMultiRegionAccessPointRoutes s3:TagResource "
    "s3:UntagResource s3:UpdateAccessGrantsLocation s3:UpdateJobPriority s3:UpdateJobStatus "
    "s3:UpdateStorageLensGroup sts:AssumeRoleWithSAML sts:AssumeRoot "
    "sts:DecodeAuthorizationMessage sts:GetFederationToken sts:GetServiceBearerToken "
    "sts:SetContext";

}  // namespace

std::optional<Action> find_action(std::string_view name) {
  const auto exact = std::ranges::lower_bound(kActions, name, {}, &Row::name);
  if (exact != kActions.end() && exact->name == name) {
    return static_cast<Action>(exact - kActions.begin());
  }
  const auto any_case =
      std::ranges::find_if(kActions, [&](const Row& row) { return same_text(row.name, name); });
  if (any_case == kActions.end()) {
    return std::nullopt;
  }
  return static_cast<Action>(any_case - kActions.begin());
}

std::string_view action_name(Action action) { return kActions.at(action).name; }
Target action_target(Action action) { return kActions.at(action).target; }
std::size_t action_count() { return kActions.size(); }

ActionSet matching_actions(std::string_view pattern) {
  ActionSet out;
  for (std::size_t i = 0; i < kActions.size(); ++i) {
    out.set(i, wildcard_match(pattern, kActions[i].name, Case::insensitive));
  }
  return out;
}

bool matches_other_action(std::string_view pattern) {
  return std::ranges::any_of(kOthers | std::views::split(' '), [&](auto&& name) {
    return wildcard_match(pattern, std::string_view(name), Case::insensitive);
  });
}

}  // namespace outcrop::policy
