#include "api/s3/op_table.h"

#include <algorithm>
#include <array>
#include <vector>

#include "api/s3/ops.h"
#include "storage/base/assert.h"

namespace outcrop::s3 {
namespace {

using enum Method;
using enum Scope;
using enum BodyPolicy;
using I = OpId;

constexpr std::string_view kCopySource = "x-amz-copy-source";

// clang-format off: one operation per line is the point of this table.
constexpr std::array kOps = std::to_array<Op>({
    {I::list_buckets, "ListBuckets", get, service, "", "", "s3:ListAllMyBuckets", none, list_buckets},

    {I::get_bucket_location, "GetBucketLocation", get, bucket, "location", "", "s3:GetBucketLocation", none, get_bucket_location},
    {I::list_object_versions, "ListObjectVersions", get, bucket, "versions", "", "s3:ListBucketVersions", none, list_object_versions},
    {I::list_multipart_uploads, "ListMultipartUploads", get, bucket, "uploads", "", "s3:ListBucketMultipartUploads", none, list_multipart_uploads},
    {I::get_bucket_acl, "GetBucketAcl", get, bucket, "acl", "", "s3:GetBucketAcl", none, get_acl},
    {I::get_bucket_policy, "GetBucketPolicy", get, bucket, "policy", "", "s3:GetBucketPolicy", none, get_bucket_policy},
    {I::get_bucket_policy_status, "GetBucketPolicyStatus", get, bucket, "policyStatus", "", "s3:GetBucketPolicyStatus", none, get_bucket_policy_status},
    {I::get_bucket_cors, "GetBucketCors", get, bucket, "cors", "", "s3:GetBucketCORS", none, get_bucket_cors},
    {I::get_bucket_lifecycle, "GetBucketLifecycleConfiguration", get, bucket, "lifecycle", "", "s3:GetLifecycleConfiguration", none, get_bucket_lifecycle},
    {I::get_bucket_website, "GetBucketWebsite", get, bucket, "website", "", "s3:GetBucketWebsite", none, unconfigured},
    {I::get_bucket_tagging, "GetBucketTagging", get, bucket, "tagging", "", "s3:GetBucketTagging", none, get_bucket_tagging},
    {I::get_bucket_replication, "GetBucketReplication", get, bucket, "replication", "", "s3:GetReplicationConfiguration", none, unconfigured},
    {I::get_object_lock_configuration, "GetObjectLockConfiguration", get, bucket, "object-lock", "", "s3:GetBucketObjectLockConfiguration", none, get_object_lock_configuration},
    {I::get_public_access_block, "GetPublicAccessBlock", get, bucket, "publicAccessBlock", "", "s3:GetBucketPublicAccessBlock", none, get_public_access_block},
    {I::get_bucket_ownership_controls, "GetBucketOwnershipControls", get, bucket, "ownershipControls", "", "s3:GetBucketOwnershipControls", none, get_bucket_ownership_controls},
    {I::get_bucket_encryption, "GetBucketEncryption", get, bucket, "encryption", "", "s3:GetEncryptionConfiguration", none, get_bucket_encryption},
    {I::get_bucket_versioning, "GetBucketVersioning", get, bucket, "versioning", "", "s3:GetBucketVersioning", none, get_bucket_versioning},
    {I::get_bucket_logging, "GetBucketLogging", get, bucket, "logging", "", "s3:GetBucketLogging", none, unconfigured},
    {I::get_bucket_notification, "GetBucketNotificationConfiguration", get, bucket, "notification", "", "s3:GetBucketNotification", none, unconfigured},
    {I::get_bucket_accelerate, "GetBucketAccelerateConfiguration", get, bucket, "accelerate", "", "s3:GetAccelerateConfiguration", none, unconfigured},
    {I::get_bucket_request_payment, "GetBucketRequestPayment", get, bucket, "requestPayment", "", "s3:GetBucketRequestPayment", none, unconfigured},
    {I::get_bucket_analytics, "GetBucketAnalyticsConfiguration", get, bucket, "analytics", "", "s3:GetAnalyticsConfiguration", none, unconfigured},
    {I::get_bucket_inventory, "GetBucketInventoryConfiguration", get, bucket, "inventory", "", "s3:GetInventoryConfiguration", none, unconfigured},
    {I::get_bucket_metrics, "GetBucketMetricsConfiguration", get, bucket, "metrics", "", "s3:GetMetricsConfiguration", none, unconfigured},
    {I::get_bucket_intelligent_tiering, "GetBucketIntelligentTieringConfiguration", get, bucket, "intelligent-tiering", "", "s3:GetIntelligentTieringConfiguration", none, unconfigured},
    {I::list_objects_v2, "ListObjectsV2", get, bucket, "list-type=2", "", "s3:ListBucket", none, list_objects_v2},
    {I::list_objects, "ListObjects", get, bucket, "", "", "s3:ListBucket", none, list_objects},
    {I::head_bucket, "HeadBucket", head, bucket, "", "", "s3:ListBucket", none, head_bucket},
    {I::create_bucket, "CreateBucket", put, bucket, "", "", "s3:CreateBucket", document, create_bucket},
    {I::delete_bucket, "DeleteBucket", del, bucket, "", "", "s3:DeleteBucket", none, delete_bucket},
    {I::delete_objects, "DeleteObjects", post, bucket, "delete", "", "s3:DeleteObject", digested_document, delete_objects},
    {I::post_object, "PostObject", post, bucket, "", "", "s3:PutObject", none, post_object},

    {I::get_object_attributes, "GetObjectAttributes", get, object, "attributes", "", "s3:GetObjectAttributes", none, get_object_attributes},
    {I::list_parts, "ListParts", get, object, "uploadId", "", "s3:ListMultipartUploadParts", none, list_parts},
    {I::get_object_acl, "GetObjectAcl", get, object, "acl", "", "s3:GetObjectAcl", none, get_acl},
    {I::get_object_tagging, "GetObjectTagging", get, object, "tagging", "", "s3:GetObjectTagging", none, get_object_tagging},
    {I::get_object_retention, "GetObjectRetention", get, object, "retention", "", "s3:GetObjectRetention", none, get_object_retention},
    {I::get_object_legal_hold, "GetObjectLegalHold", get, object, "legal-hold", "", "s3:GetObjectLegalHold", none, get_object_legal_hold},
    {I::other_unsupported, "GetObjectTorrent", get, object, "torrent", "", "s3:GetObjectTorrent", none, not_implemented},
    {I::get_object, "GetObject", get, object, "", "", "s3:GetObject", none, get_object},
    {I::head_object, "HeadObject", head, object, "", "", "s3:GetObject", none, head_object},
    {I::upload_part_copy, "UploadPartCopy", put, object, "uploadId", kCopySource, "s3:PutObject", none, upload_part_copy},
    {I::upload_part, "UploadPart", put, object, "uploadId", "", "s3:PutObject", payload, upload_part},
    {I::rename_object, "RenameObject", put, object, "renameObject", "", "s3:PutObject", none, rename_object},
    {I::copy_object, "CopyObject", put, object, "", kCopySource, "s3:PutObject", none, copy_object},
    {I::put_object, "PutObject", put, object, "", "", "s3:PutObject", payload, put_object},
    {I::abort_multipart_upload, "AbortMultipartUpload", del, object, "uploadId", "", "s3:AbortMultipartUpload", none, abort_multipart_upload},
    {I::delete_object_tagging, "DeleteObjectTagging", del, object, "tagging", "", "s3:DeleteObjectTagging", none, delete_object_tagging},
    {I::delete_object, "DeleteObject", del, object, "", "", "s3:DeleteObject", none, delete_object},
    {I::create_multipart_upload, "CreateMultipartUpload", post, object, "uploads", "", "s3:PutObject", none, create_multipart_upload},
    {I::complete_multipart_upload, "CompleteMultipartUpload", post, object, "uploadId", "", "s3:PutObject", completion, complete_multipart_upload},
    {I::other_unsupported, "RestoreObject", post, object, "restore", "", "s3:RestoreObject", none, not_implemented},
    {I::other_unsupported, "SelectObjectContent", post, object, "select", "", "s3:GetObject", none, not_implemented},

    {I::put_bucket_acl, "PutBucketAcl", put, bucket, "acl", "", "s3:PutBucketAcl", document, put_acl},
    {I::put_bucket_policy, "PutBucketPolicy", put, bucket, "policy", "", "s3:PutBucketPolicy", document, put_bucket_policy},
    {I::put_bucket_cors, "PutBucketCors", put, bucket, "cors", "", "s3:PutBucketCORS", document, put_bucket_cors},
    {I::put_bucket_lifecycle, "PutBucketLifecycleConfiguration", put, bucket, "lifecycle", "", "s3:PutLifecycleConfiguration", document, put_bucket_lifecycle},
    {I::put_configuration, "PutBucketWebsite", put, bucket, "website", "", "s3:PutBucketWebsite", none, not_implemented},
    {I::put_bucket_tagging, "PutBucketTagging", put, bucket, "tagging", "", "s3:PutBucketTagging", document, put_bucket_tagging},
    {I::put_configuration, "PutBucketReplication", put, bucket, "replication", "", "s3:PutReplicationConfiguration", none, not_implemented},
    {I::put_object_lock_configuration, "PutObjectLockConfiguration", put, bucket, "object-lock", "", "s3:PutBucketObjectLockConfiguration", document, put_object_lock_configuration},
    {I::put_public_access_block, "PutPublicAccessBlock", put, bucket, "publicAccessBlock", "", "s3:PutBucketPublicAccessBlock", document, put_public_access_block},
    {I::put_bucket_ownership_controls, "PutBucketOwnershipControls", put, bucket, "ownershipControls", "", "s3:PutBucketOwnershipControls", document, put_bucket_ownership_controls},
    {I::put_bucket_encryption, "PutBucketEncryption", put, bucket, "encryption", "", "s3:PutEncryptionConfiguration", document, put_bucket_encryption},
    {I::put_bucket_versioning, "PutBucketVersioning", put, bucket, "versioning", "", "s3:PutBucketVersioning", document, put_bucket_versioning},
    {I::put_configuration, "PutBucketLogging", put, bucket, "logging", "", "s3:PutBucketLogging", none, not_implemented},
    {I::put_configuration, "PutBucketNotificationConfiguration", put, bucket, "notification", "", "s3:PutBucketNotification", none, not_implemented},
    {I::put_configuration, "PutBucketAccelerateConfiguration", put, bucket, "accelerate", "", "s3:PutAccelerateConfiguration", none, not_implemented},
    {I::put_configuration, "PutBucketRequestPayment", put, bucket, "requestPayment", "", "s3:PutBucketRequestPayment", none, not_implemented},
    {I::put_configuration, "PutBucketAnalyticsConfiguration", put, bucket, "analytics", "", "s3:PutAnalyticsConfiguration", none, not_implemented},
    {I::put_configuration, "PutBucketInventoryConfiguration", put, bucket, "inventory", "", "s3:PutInventoryConfiguration", none, not_implemented},
    {I::put_configuration, "PutBucketMetricsConfiguration", put, bucket, "metrics", "", "s3:PutMetricsConfiguration", none, not_implemented},
    {I::put_configuration, "PutBucketIntelligentTieringConfiguration", put, bucket, "intelligent-tiering", "", "s3:PutIntelligentTieringConfiguration", none, not_implemented},
    {I::put_object_acl, "PutObjectAcl", put, object, "acl", "", "s3:PutObjectAcl", document, put_acl},
    {I::put_object_tagging, "PutObjectTagging", put, object, "tagging", "", "s3:PutObjectTagging", document, put_object_tagging},
    {I::put_object_retention, "PutObjectRetention", put, object, "retention", "", "s3:PutObjectRetention", document, put_object_retention},
    {I::put_object_legal_hold, "PutObjectLegalHold", put, object, "legal-hold", "", "s3:PutObjectLegalHold", document, put_object_legal_hold},
    {I::put_configuration, "UpdateObjectEncryption", put, object, "encryption", "", "s3:UpdateObjectEncryption", none, not_implemented},

    {I::delete_bucket_policy, "DeleteBucketPolicy", del, bucket, "policy", "", "s3:DeleteBucketPolicy", none, delete_bucket_policy},
    {I::delete_bucket_cors, "DeleteBucketCors", del, bucket, "cors", "", "s3:PutBucketCORS", none, delete_bucket_cors},
    {I::delete_bucket_lifecycle, "DeleteBucketLifecycle", del, bucket, "lifecycle", "", "s3:PutLifecycleConfiguration", none, delete_bucket_lifecycle},
    {I::delete_configuration, "DeleteBucketWebsite", del, bucket, "website", "", "s3:DeleteBucketWebsite", none, nothing_to_delete},
    {I::delete_bucket_tagging, "DeleteBucketTagging", del, bucket, "tagging", "", "s3:PutBucketTagging", none, delete_bucket_tagging},
    {I::delete_configuration, "DeleteBucketReplication", del, bucket, "replication", "", "s3:PutReplicationConfiguration", none, nothing_to_delete},
    {I::delete_bucket_encryption, "DeleteBucketEncryption", del, bucket, "encryption", "", "s3:PutEncryptionConfiguration", none, delete_bucket_encryption},
    {I::delete_public_access_block, "DeletePublicAccessBlock", del, bucket, "publicAccessBlock", "", "s3:PutBucketPublicAccessBlock", none, delete_public_access_block},
    {I::delete_bucket_ownership_controls, "DeleteBucketOwnershipControls", del, bucket, "ownershipControls", "", "s3:PutBucketOwnershipControls", none, delete_bucket_ownership_controls},
});
// clang-format on

}  // namespace

std::span<const Op> op_table() { return kOps; }

const Op& op_row(OpId id) {
  const auto at = std::ranges::find(kOps, id, &Op::id);
  OUTCROP_ASSERT(at != kOps.end());
  return *at;
}

policy::Action action_of(const Op& op) {
  static const std::vector<policy::Action> actions = [] {
    std::vector<policy::Action> out;
    for (const Op& row : kOps) {
      out.push_back(policy::find_action(row.action).value());
    }
    return out;
  }();
  return actions[static_cast<std::size_t>(&op - kOps.data())];
}

bool takes_version(OpId id) {
  switch (id) {
    case OpId::get_object:
    case OpId::head_object:
    case OpId::delete_object:
    case OpId::get_object_attributes:
    case OpId::get_object_acl:
    case OpId::put_object_acl:
    case OpId::get_object_tagging:
    case OpId::put_object_tagging:
    case OpId::delete_object_tagging:
    case OpId::get_object_retention:
    case OpId::get_object_legal_hold:
    case OpId::put_object_retention:
    case OpId::put_object_legal_hold:
    case OpId::put_configuration:
    case OpId::other_unsupported:
      return true;
    default:
      return false;
  }
}

std::string_view op_name(OpId id) {
  switch (id) {  // rows that share an id share a name
    case OpId::unknown:
      return "Unknown";
    case OpId::cors_preflight:
      return "CorsPreflight";
    case OpId::put_configuration:
      return "PutConfiguration";
    case OpId::delete_configuration:
      return "DeleteConfiguration";
    case OpId::other_unsupported:
      return "Unsupported";
    default:
      break;
  }
  for (const Op& op : kOps) {
    if (op.id == id) {
      return op.name;
    }
  }
  return "Unknown";
}

}  // namespace outcrop::s3
