#include "auth/policy/condition_key.h"

#include <algorithm>

#include "auth/policy/pattern.h"

namespace outcrop::policy {
namespace {

constexpr std::size_t kMaxSuffix = 128;  // the longest name of a tag

struct Row {
  std::string_view name;  ///< a key with a name ends in '/'
  Key key;
};

constexpr auto kKeys = std::to_array<Row>({
    {"aws:AssumedRoot", Key::never},
    {"aws:CalledVia", Key::never},
    {"aws:CalledViaFirst", Key::never},
    {"aws:CalledViaLast", Key::never},
    {"aws:ChatbotSourceArn", Key::never},
    {"aws:CurrentTime", Key::current_time},
    {"aws:Ec2InstanceSourcePrivateIPv4", Key::never},
    {"aws:Ec2InstanceSourceVpc", Key::never},
    {"aws:EpochTime", Key::epoch_time},
    {"aws:FederatedProvider", Key::federated_provider},
    {"aws:MultiFactorAuthAge", Key::multi_factor_auth_age},
    {"aws:MultiFactorAuthPresent", Key::multi_factor_auth_present},
    {"aws:PrincipalAccount", Key::principal_account},
    {"aws:PrincipalArn", Key::principal_arn},
    {"aws:PrincipalIsAWSService", Key::principal_is_aws_service},
    {"aws:PrincipalOrgID", Key::never},
    {"aws:PrincipalOrgPaths", Key::never},
    {"aws:PrincipalServiceName", Key::never},
    {"aws:PrincipalServiceNamesList", Key::never},
    {"aws:PrincipalTag/", Key::principal_tag},
    {"aws:PrincipalType", Key::principal_type},
    {"aws:referer", Key::referer},
    {"aws:RequestTag/", Key::request_tag},
    {"aws:RequestedRegion", Key::requested_region},
    {"aws:ResourceAccount", Key::resource_account},
    {"aws:ResourceOrgID", Key::never},
    {"aws:ResourceOrgPaths", Key::never},
    {"aws:ResourceTag/", Key::resource_tag},
    {"aws:SecureTransport", Key::secure_transport},
    {"aws:SourceAccount", Key::never},
    {"aws:SourceArn", Key::never},
    {"aws:SourceIdentity", Key::never},
    {"aws:SourceIp", Key::source_ip},
    {"aws:SourceOrgID", Key::never},
    {"aws:SourceOrgPaths", Key::never},
    {"aws:SourceOwner", Key::never},
    {"aws:SourceVpc", Key::never},
    {"aws:SourceVpcArn", Key::never},
    {"aws:SourceVpce", Key::never},
    {"aws:TagKeys", Key::tag_keys},
    {"aws:TokenIssueTime", Key::token_issue_time},
    {"aws:UserAgent", Key::user_agent},
    {"aws:ViaAWSService", Key::via_aws_service},
    {"aws:VpcSourceIp", Key::never},
    {"aws:userid", Key::userid},
    {"aws:username", Key::username},
    {"iam:PermissionsBoundary", Key::permissions_boundary},
    {"iam:PolicyARN", Key::policy_arn},
    {"iam:ResourceTag/", Key::resource_tag},
    {"s3:AccessGrantsInstanceArn", Key::never},
    {"s3:AccessPointNetworkOrigin", Key::never},
    {"s3:BucketTag/", Key::never},
    {"s3:DataAccessPointAccount", Key::never},
    {"s3:DataAccessPointArn", Key::never},
    {"s3:ExistingObjectTag/", Key::existing_object_tag},
    {"s3:InventoryAccessibleOptionalFields", Key::never},
    {"s3:LocationConstraint", Key::location_constraint},
    {"s3:RequestObjectTag/", Key::request_object_tag},
    {"s3:RequestObjectTagKeys", Key::request_object_tag_keys},
    {"s3:ResourceAccount", Key::resource_account},
    {"s3:VersionId", Key::version_id},
    {"s3:authType", Key::auth_type},
    {"s3:delimiter", Key::delimiter},
    {"s3:if-match", Key::if_match},
    {"s3:if-none-match", Key::if_none_match},
    {"s3:locationconstraint", Key::location_constraint},
    {"s3:max-keys", Key::max_keys},
    {"s3:object-lock-legal-hold", Key::object_lock_legal_hold},
    {"s3:object-lock-mode", Key::object_lock_mode},
    {"s3:object-lock-remaining-retention-days", Key::object_lock_remaining_days},
    {"s3:object-lock-retain-until-date", Key::object_lock_retain_until},
    {"s3:prefix", Key::prefix},
    {"s3:signatureAge", Key::signature_age},
    {"s3:signatureversion", Key::signature_version},
    {"s3:x-amz-acl", Key::acl},
    {"s3:x-amz-content-sha256", Key::content_sha256},
    {"s3:x-amz-copy-source", Key::copy_source},
    {"s3:x-amz-grant-full-control", Key::grant_full_control},
    {"s3:x-amz-grant-read", Key::grant_read},
    {"s3:x-amz-grant-read-acp", Key::grant_read_acp},
    {"s3:x-amz-grant-write", Key::grant_write},
    {"s3:x-amz-grant-write-acp", Key::grant_write_acp},
    {"s3:x-amz-metadata-directive", Key::metadata_directive},
    {"s3:x-amz-object-ownership", Key::object_ownership},
    {"s3:x-amz-server-side-encryption", Key::sse},
    {"s3:x-amz-server-side-encryption-aws-kms-key-id", Key::sse_kms_key_id},
    {"s3:x-amz-server-side-encryption-customer-algorithm", Key::sse_customer_algorithm},
    {"s3:x-amz-storage-class", Key::storage_class},
    {"s3:x-amz-website-redirect-location", Key::website_redirect_location},
    {"sts:ExternalId", Key::external_id},
    {"sts:RoleSessionName", Key::role_session_name},
    {"sts:TransitiveTagKeys", Key::transitive_tag_keys},
});

constexpr auto kClaims = std::to_array<Row>({
    {"amr", Key::token_amr},
    {"aud", Key::token_aud},
    {"azp", Key::token_azp},
    {"sub", Key::token_sub},
});
constexpr std::size_t kMaxProvider = 255;  // oidc::kMaxUrl

bool is_ours(std::string_view service) {
  return std::ranges::any_of(std::to_array<std::string_view>({"aws", "s3", "iam", "sts"}),
                             [&](std::string_view ours) { return same_text(service, ours); });
}

}  // namespace

std::optional<KeyName> find_key(std::string_view name) {
  const std::size_t slash = name.find('/');
  const std::string_view stem = name.substr(0, slash == std::string_view::npos ? slash : slash + 1);
  const auto row =
      std::ranges::find_if(kKeys, [&](const Row& r) { return same_text(r.name, stem); });
  if (row != kKeys.end()) {
    const std::string_view suffix = name.substr(stem.size());
    const bool named = row->name.ends_with('/');
    if (named && (suffix.empty() || suffix.size() > kMaxSuffix)) {
      return std::nullopt;
    }
    return KeyName{row->key, std::string(suffix)};
  }
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == name.size() ||
      is_ours(name.substr(0, name.find(':')))) {
    return std::nullopt;
  }
  const std::string_view provider = name.substr(0, colon);
  const auto claim = std::ranges::find_if(
      kClaims, [&](const Row& r) { return same_text(r.name, name.substr(colon + 1)); });
  if (claim != kClaims.end() && provider.size() <= kMaxProvider) {
    return KeyName{claim->key, std::string(provider)};
  }
  return KeyName{};
}

}  // namespace outcrop::policy
