// The operations of the S3 API that have a row in op_table.cpp.
#pragma once
#include <cstdint>
#include <string_view>

namespace outcrop::s3 {

enum class OpId : std::uint8_t {
  unknown,  ///< refused before it was routed
  list_buckets,
  create_bucket,
  head_bucket,
  delete_bucket,
  get_bucket_location,
  list_objects,
  list_objects_v2,
  list_object_versions,
  list_multipart_uploads,
  delete_objects,
  post_object,
  get_object,
  head_object,
  put_object,
  copy_object,
  delete_object,
  rename_object,
  get_object_attributes,
  create_multipart_upload,
  upload_part,
  upload_part_copy,
  complete_multipart_upload,
  abort_multipart_upload,
  list_parts,
  get_bucket_acl,
  get_bucket_policy,
  get_bucket_policy_status,
  get_bucket_cors,
  get_bucket_lifecycle,
  get_bucket_website,
  get_bucket_tagging,
  get_bucket_replication,
  get_object_lock_configuration,
  get_public_access_block,
  get_bucket_ownership_controls,
  get_bucket_encryption,
  get_bucket_versioning,
  get_bucket_logging,
  get_bucket_notification,
  get_bucket_accelerate,
  get_bucket_request_payment,
  get_bucket_analytics,
  get_bucket_inventory,
  get_bucket_metrics,
  get_bucket_intelligent_tiering,
  get_object_acl,
  get_object_tagging,
  put_object_tagging,
  delete_object_tagging,
  get_object_retention,
  get_object_legal_hold,
  put_object_lock_configuration,
  put_object_retention,
  put_object_legal_hold,
  put_bucket_versioning,
  put_bucket_acl,
  put_object_acl,
  put_bucket_ownership_controls,
  delete_bucket_ownership_controls,
  put_bucket_tagging,
  delete_bucket_tagging,
  put_bucket_lifecycle,
  delete_bucket_lifecycle,
  put_bucket_encryption,
  delete_bucket_encryption,
  put_bucket_cors,
  delete_bucket_cors,
  cors_preflight,  ///< OPTIONS; it has no row
  put_bucket_policy,
  delete_bucket_policy,
  put_public_access_block,
  delete_public_access_block,
  put_configuration,     ///< PUT of any bucket or object sub-resource this gateway does not have
  delete_configuration,  ///< DELETE of a sub-resource that is never configured
  other_unsupported,     ///< torrent, select, restore
};

/// "GetObject"; stable: metrics and logs carry it.
std::string_view op_name(OpId id);

}  // namespace outcrop::s3
