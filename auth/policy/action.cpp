#include "auth/policy/action.h"

#include <algorithm>
#include <array>

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
    {"iam:AddUserToGroup", account},
    {"iam:AttachGroupPolicy", account},
    {"iam:AttachRolePolicy", account},
    {"iam:AttachUserPolicy", account},
    {"iam:CreateAccessKey", account},
    {"iam:CreateGroup", account},
    {"iam:CreatePolicy", account},
    {"iam:CreatePolicyVersion", account},
    {"iam:CreateRole", account},
    {"iam:CreateUser", account},
    {"iam:DeleteAccessKey", account},
    {"iam:DeleteGroup", account},
    {"iam:DeleteGroupPolicy", account},
    {"iam:DeletePolicy", account},
    {"iam:DeletePolicyVersion", account},
    {"iam:DeleteRole", account},
    {"iam:DeleteRolePolicy", account},
    {"iam:DeleteUser", account},
    {"iam:DeleteUserPolicy", account},
    {"iam:DetachGroupPolicy", account},
    {"iam:DetachRolePolicy", account},
    {"iam:DetachUserPolicy", account},
    {"iam:GetAccessKeyLastUsed", account},
    {"iam:GetAccountSummary", account},
    {"iam:GetGroup", account},
    {"iam:GetGroupPolicy", account},
    {"iam:GetPolicy", account},
    {"iam:GetPolicyVersion", account},
    {"iam:GetRole", account},
    {"iam:GetRolePolicy", account},
    {"iam:GetUser", account},
    {"iam:GetUserPolicy", account},
    {"iam:ListAccessKeys", account},
    {"iam:ListAttachedGroupPolicies", account},
    {"iam:ListAttachedRolePolicies", account},
    {"iam:ListAttachedUserPolicies", account},
    {"iam:ListEntitiesForPolicy", account},
    {"iam:ListGroupPolicies", account},
    {"iam:ListGroups", account},
    {"iam:ListGroupsForUser", account},
    {"iam:ListPolicies", account},
    {"iam:ListPolicyVersions", account},
    {"iam:ListRolePolicies", account},
    {"iam:ListRoles", account},
    {"iam:ListUserPolicies", account},
    {"iam:ListUsers", account},
    {"iam:PutGroupPolicy", account},
    {"iam:PutRolePolicy", account},
    {"iam:PutUserPolicy", account},
    {"iam:RemoveUserFromGroup", account},
    {"iam:SetDefaultPolicyVersion", account},
    {"iam:UpdateAccessKey", account},
    {"iam:UpdateAssumeRolePolicy", account},
    {"iam:UpdateGroup", account},
    {"iam:UpdateRole", account},
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
    {"sts:GetCallerIdentity", account},
    {"sts:GetSessionToken", account},
    {"sts:SetSourceIdentity", account},
    {"sts:TagSession", account},
});
static_assert(std::ranges::is_sorted(kActions, {}, &Row::name));
static_assert(kActions.size() <= kMaxActions);

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

}  // namespace outcrop::policy
