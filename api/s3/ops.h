// The handlers of op_table.cpp. Each runs with a Call that is authenticated and authorised.
#pragma once
#include "api/http/message.h"
#include "api/s3/error.h"

namespace outcrop::s3 {

struct Call;
using Answer = Async<Outcome<http::Response>>;

Answer list_buckets(Call& call);
Answer create_bucket(Call& call);
Answer head_bucket(Call& call);
Answer delete_bucket(Call& call);
Answer get_bucket_location(Call& call);

Answer list_objects(Call& call);
Answer list_objects_v2(Call& call);
Answer list_object_versions(Call& call);

Answer get_object(Call& call);
Answer head_object(Call& call);
Answer get_object_attributes(Call& call);
Answer put_object(Call& call);
Answer post_object(Call& call);
Answer copy_object(Call& call);
Answer rename_object(Call& call);
Answer delete_object(Call& call);
Answer delete_objects(Call& call);

Answer create_multipart_upload(Call& call);
Answer upload_part(Call& call);
Answer upload_part_copy(Call& call);
Answer complete_multipart_upload(Call& call);
Answer abort_multipart_upload(Call& call);
Answer list_parts(Call& call);
Answer list_multipart_uploads(Call& call);

Answer put_bucket_versioning(Call& call);
Answer get_bucket_versioning(Call& call);

Answer put_bucket_policy(Call& call);
Answer get_bucket_policy(Call& call);
Answer delete_bucket_policy(Call& call);
Answer get_bucket_policy_status(Call& call);
Answer put_public_access_block(Call& call);
Answer get_public_access_block(Call& call);
Answer delete_public_access_block(Call& call);

Answer get_object_tagging(Call& call);
Answer put_object_tagging(Call& call);
Answer delete_object_tagging(Call& call);

Answer put_object_lock_configuration(Call& call);
Answer get_object_lock_configuration(Call& call);
Answer put_object_retention(Call& call);
Answer get_object_retention(Call& call);
Answer put_object_legal_hold(Call& call);
Answer get_object_legal_hold(Call& call);

Answer get_acl(Call& call);
Answer put_acl(Call& call);
Answer get_bucket_ownership_controls(Call& call);
Answer put_bucket_ownership_controls(Call& call);
Answer delete_bucket_ownership_controls(Call& call);

Answer put_bucket_tagging(Call& call);
Answer get_bucket_tagging(Call& call);
Answer delete_bucket_tagging(Call& call);
Answer put_bucket_lifecycle(Call& call);
Answer get_bucket_lifecycle(Call& call);
Answer delete_bucket_lifecycle(Call& call);
Answer put_bucket_encryption(Call& call);
Answer get_bucket_encryption(Call& call);
Answer delete_bucket_encryption(Call& call);
Answer put_bucket_cors(Call& call);
Answer get_bucket_cors(Call& call);
Answer delete_bucket_cors(Call& call);

/// GET of a sub-resource that no bucket or object has: what AWS says then (op_unconfigured.cpp).
Answer unconfigured(Call& call);
/// DELETE of the same: 204, there is nothing.
Answer nothing_to_delete(Call& call);
/// 501: what is not enforced is not stored.
Answer not_implemented(Call& call);

}  // namespace outcrop::s3
