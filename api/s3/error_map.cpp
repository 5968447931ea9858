#include <array>

#include "api/s3/error.h"
#include "api/s3/headers.h"
#include "api/s3/xml_out.h"
#include "storage/ns/version_id.h"

namespace outcrop::s3 {
namespace {

constexpr std::array kRows = std::to_array<ErrorRow>({
    {Code::access_control_list_not_supported, 400, "AccessControlListNotSupported",
     "The bucket does not allow ACLs"},
    {Code::access_denied, 403, "AccessDenied", "Access Denied"},
    {Code::access_forbidden, 403, "AccessForbidden", "Access Forbidden"},
    {Code::authorization_header_malformed, 400, "AuthorizationHeaderMalformed",
     "The authorization header is malformed."},
    {Code::authorization_query_parameters_error, 400, "AuthorizationQueryParametersError",
     "Query-string authentication requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
     "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
    {Code::bad_digest, 400, "BadDigest",
     "The Content-MD5 you specified did not match what we received."},
    {Code::bad_request, 400, "BadRequest", "Bad Request"},
    {Code::bucket_already_exists, 409, "BucketAlreadyExists",
     "The requested bucket name is not available. The bucket namespace is shared by all users of "
     "the system. Please select a different name and try again."},
    {Code::bucket_already_owned_by_you, 409, "BucketAlreadyOwnedByYou",
     "Your previous request to create the named bucket succeeded and you already own it."},
    {Code::bucket_not_empty, 409, "BucketNotEmpty", "The bucket you tried to delete is not empty"},
    {Code::conditional_request_conflict, 409, "ConditionalRequestConflict",
     "The conditional request cannot succeed due to a conflicting operation against this "
     "resource."},
    {Code::entity_too_large, 400, "EntityTooLarge",
     "Your proposed upload exceeds the maximum allowed size"},
    {Code::entity_too_small, 400, "EntityTooSmall",
     "Your proposed upload is smaller than the minimum allowed size"},
    {Code::expired_token, 400, "ExpiredToken", "The provided token has expired."},
    {Code::illegal_versioning_configuration, 400, "IllegalVersioningConfigurationException",
     "The Versioning element must be specified"},
    {Code::incomplete_body, 400, "IncompleteBody",
     "You did not provide the number of bytes specified by the Content-Length HTTP header"},
    {Code::insufficient_storage, 507, "InsufficientStorage",
     "The store is full. Delete objects or add a drive, then try again."},
    {Code::internal_error, 500, "InternalError",
     "We encountered an internal error. Please try again."},
    {Code::invalid_access_key_id, 403, "InvalidAccessKeyId",
     "The AWS Access Key Id you provided does not exist in our records."},
    {Code::invalid_argument, 400, "InvalidArgument", "Invalid Argument"},
    {Code::invalid_bucket_acl, 400, "InvalidBucketAclWithObjectOwnership",
     "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"},
    {Code::invalid_bucket_name, 400, "InvalidBucketName", "The specified bucket is not valid."},
    {Code::invalid_bucket_state, 409, "InvalidBucketState",
     "The request is not valid with the current state of the bucket."},
    {Code::invalid_checksum, 400, "InvalidRequest", "The value of a checksum is invalid."},
    {Code::invalid_digest, 400, "InvalidDigest", "The Content-MD5 you specified was invalid."},
    {Code::invalid_encryption_algorithm, 400, "InvalidEncryptionAlgorithmError",
     "The Encryption request you specified is not valid. Supported value: AES256."},
    {Code::invalid_location_constraint, 400, "InvalidLocationConstraint",
     "The specified location-constraint is not valid"},
    {Code::invalid_part, 400, "InvalidPart",
     "One or more of the specified parts could not be found.  The part may not have been uploaded, "
     "or the specified entity tag may not match the part's entity tag."},
    {Code::invalid_part_number, 416, "InvalidPartNumber",
     "The requested partnumber is not satisfiable"},
    {Code::invalid_part_order, 400, "InvalidPartOrder",
     "The list of parts was not in ascending order. Parts must be ordered by part number."},
    {Code::invalid_policy_document, 400, "InvalidPolicyDocument",
     "The content of the form does not meet the conditions specified in the policy document."},
    {Code::invalid_range, 416, "InvalidRange", "The requested range is not satisfiable"},
    {Code::invalid_request, 400, "InvalidRequest", "Invalid Request"},
    {Code::invalid_retention_period, 400, "InvalidRetentionPeriod",
     "Default retention period must be a positive integer value."},
    {Code::invalid_storage_class, 400, "InvalidStorageClass",
     "The storage class you specified is not valid"},
    {Code::invalid_tag, 400, "InvalidTag", "The tag provided was not a valid tag."},
    {Code::invalid_token, 400, "InvalidToken",
     "The provided token is malformed or otherwise invalid."},
    {Code::invalid_uri, 400, "InvalidURI", "Couldn't parse the specified URI."},
    {Code::invalid_write_offset, 400, "InvalidWriteOffset",
     "The write offset value that you specified does not match the current object size."},
    {Code::key_too_long, 400, "KeyTooLongError", "Your key is too long"},
    {Code::kms_disabled, 400, "KMS.DisabledException", "The key is disabled."},
    {Code::kms_not_found, 400, "KMS.NotFoundException", "The key does not exist."},
    {Code::malformed_acl, 400, "MalformedACLError",
     "The XML you provided was not well-formed or did not validate against our published schema"},
    {Code::malformed_policy, 400, "MalformedPolicy", "Policy has invalid syntax"},
    {Code::malformed_post_request, 400, "MalformedPOSTRequest",
     "The body of your POST request is not well-formed multipart/form-data."},
    {Code::malformed_trailer, 400, "MalformedTrailerError",
     "The request contained trailing data that was not well-formed or did not conform to our "
     "published schema."},
    {Code::malformed_xml, 400, "MalformedXML",
     "The XML you provided was not well-formed or did not validate against our published schema"},
    {Code::max_message_length_exceeded, 400, "MaxMessageLengthExceeded",
     "Your request was too big."},
    {Code::max_post_pre_data_exceeded, 400, "MaxPostPreDataLengthExceededError",
     "Your POST request fields preceding the upload file were too large."},
    {Code::metadata_too_large, 400, "MetadataTooLarge",
     "Your metadata headers exceed the maximum allowed metadata size"},
    {Code::method_not_allowed, 405, "MethodNotAllowed",
     "The specified method is not allowed against this resource."},
    {Code::missing_content_length, 411, "MissingContentLength",
     "You must provide the Content-Length HTTP header."},
    {Code::missing_request_body, 400, "MissingRequestBodyError", "Request Body is empty"},
    {Code::missing_security_header, 400, "MissingSecurityHeader",
     "Your request was missing a required header."},
    {Code::no_such_bucket, 404, "NoSuchBucket", "The specified bucket does not exist"},
    {Code::no_such_bucket_policy, 404, "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {Code::no_such_configuration, 404, "NoSuchConfiguration",
     "The specified configuration does not exist."},
    {Code::no_such_cors_configuration, 404, "NoSuchCORSConfiguration",
     "The CORS configuration does not exist"},
    {Code::no_such_key, 404, "NoSuchKey", "The specified key does not exist."},
    {Code::no_such_lifecycle_configuration, 404, "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist"},
    {Code::no_such_object_lock_configuration, 404, "NoSuchObjectLockConfiguration",
     "The specified object does not have a ObjectLock configuration"},
    {Code::no_such_public_access_block, 404, "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration was not found"},
    {Code::no_such_tag_set, 404, "NoSuchTagSet", "The TagSet does not exist"},
    {Code::no_such_upload, 404, "NoSuchUpload",
     "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
     "been aborted or completed."},
    {Code::no_such_version, 404, "NoSuchVersion", "The specified version does not exist."},
    {Code::no_such_website_configuration, 404, "NoSuchWebsiteConfiguration",
     "The specified bucket does not have a website configuration"},
    {Code::not_implemented, 501, "NotImplemented",
     "A header you provided implies functionality that is not implemented"},
    {Code::not_modified, 304, "NotModified", "Not Modified"},
    {Code::object_lock_not_found, 404, "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket"},
    {Code::operation_aborted, 409, "OperationAborted",
     "A conflicting conditional operation is currently in progress against this resource. Try "
     "again."},
    {Code::ownership_controls_not_found, 404, "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found"},
    {Code::precondition_failed, 412, "PreconditionFailed",
     "At least one of the pre-conditions you specified did not hold"},
    {Code::quota_exceeded, 403, "QuotaExceeded",
     "The bucket's quota of bytes does not allow this. Delete objects, or ask for a larger quota."},
    {Code::replication_not_found, 404, "ReplicationConfigurationNotFoundError",
     "The replication configuration was not found"},
    {Code::request_time_too_skewed, 403, "RequestTimeTooSkewed",
     "The difference between the request time and the current time is too large."},
    {Code::request_timeout, 400, "RequestTimeout",
     "Your socket connection to the server was not read from or written to within the timeout "
     "period. Idle connections will be closed."},
    {Code::service_unavailable, 503, "ServiceUnavailable", "Service is unable to handle request."},
    {Code::signature_does_not_match, 403, "SignatureDoesNotMatch",
     "The request signature we calculated does not match the signature you provided. Check your "
     "key and signing method."},
    {Code::slow_down, 503, "SlowDown", "Please reduce your request rate."},
    {Code::sse_configuration_not_found, 404, "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found"},
    {Code::too_many_buckets, 400, "TooManyBuckets",
     "You have attempted to create more buckets than allowed."},
    {Code::too_many_parts, 400, "TooManyParts",
     "You have attempted to add more parts than the maximum of 10000 that are allowed for this "
     "object. You can use the CopyObject operation to copy this object to another and then add "
     "more "
     "data to the newly copied object."},
    {Code::too_many_tags, 400, "BadRequest", "Too many tags"},
    {Code::unexpected_content, 400, "UnexpectedContent", "This request does not support content"},
    {Code::unresolvable_grant, 400, "UnresolvableGrantByEmailAddress",
     "The e-mail address you provided does not match any account on record."},
    {Code::wrong_client_key, 403, "AccessDenied", "Access Denied"},
    {Code::content_sha256_mismatch, 400, "XAmzContentSHA256Mismatch",
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
});

constexpr bool rows_are_in_enum_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i) {
      return false;
    }
  }
  return kRows.size() == static_cast<std::size_t>(Code::count_);
}
static_assert(rows_are_in_enum_order());

Code auth_code(auth::AuthError code) {
  switch (code) {
    case auth::AuthError::access_denied:
      return Code::access_denied;
    case auth::AuthError::invalid_access_key_id:
      return Code::invalid_access_key_id;
    case auth::AuthError::signature_does_not_match:
      return Code::signature_does_not_match;
    case auth::AuthError::request_time_too_skewed:
      return Code::request_time_too_skewed;
    case auth::AuthError::expired_presigned:
      return Code::access_denied;
    case auth::AuthError::authorization_header_malformed:
      return Code::authorization_header_malformed;
    case auth::AuthError::authorization_query_parameters_error:
      return Code::authorization_query_parameters_error;
    case auth::AuthError::missing_security_header:
      return Code::missing_security_header;
    case auth::AuthError::invalid_content_sha256:
      return Code::invalid_argument;
    case auth::AuthError::credentials_conflict:
      return Code::invalid_argument;
    case auth::AuthError::unsupported_signature_version:
      return Code::invalid_request;
    case auth::AuthError::invalid_token:
      return Code::invalid_token;
    case auth::AuthError::expired_token:
      return Code::expired_token;
  }
  return Code::access_denied;
}

}  // namespace

const ErrorRow& row(Code code) { return kRows[static_cast<std::size_t>(code)]; }

Code to_code(Errc code) {
  switch (code) {  // no default: a new Errc must be decided here
    case Errc::cancelled:
      return Code::incomplete_body;
    case Errc::timed_out:
      return Code::request_timeout;
    case Errc::overloaded:
      return Code::slow_down;
    case Errc::invalid_argument:
      return Code::invalid_argument;
    case Errc::access_denied:
    case Errc::object_locked:
      return Code::access_denied;
    case Errc::no_such_bucket:
      return Code::no_such_bucket;
    case Errc::no_such_key:
    case Errc::key_deleted:
      return Code::no_such_key;
    case Errc::no_such_version:
      return Code::no_such_version;
    case Errc::delete_marker:
      return Code::method_not_allowed;
    case Errc::no_such_upload:
      return Code::no_such_upload;
    case Errc::invalid_part:
      return Code::invalid_part;
    case Errc::invalid_part_order:
      return Code::invalid_part_order;
    case Errc::entity_too_small:
      return Code::entity_too_small;
    case Errc::entity_too_large:
      return Code::entity_too_large;
    case Errc::bucket_exists:
      return Code::bucket_already_owned_by_you;
    case Errc::bucket_not_empty:
      return Code::bucket_not_empty;
    case Errc::bucket_state:
      return Code::invalid_bucket_state;
    case Errc::key_too_long:
      return Code::key_too_long;
    case Errc::precondition_failed:
    case Errc::already_exists:
      return Code::precondition_failed;
    case Errc::not_modified:
      return Code::not_modified;
    case Errc::conflict:
      return Code::conditional_request_conflict;
    case Errc::range_not_satisfiable:
      return Code::invalid_range;
    case Errc::bad_digest:
      return Code::bad_digest;
    case Errc::no_space:
      return Code::insufficient_storage;
    case Errc::read_only:
    case Errc::unavailable:
      return Code::service_unavailable;
    case Errc::not_implemented:
      return Code::not_implemented;
      // clang-format off: the last are what S3 meets only when something is broken.
    case Errc::quota_exceeded: return Code::quota_exceeded;
    case Errc::no_object_lock: case Errc::sealed: return Code::invalid_request;
    case Errc::not_found: case Errc::io_error: case Errc::corrupt: case Errc::config:
    case Errc::internal: case Errc::stale: case Errc::not_directory: case Errc::is_directory:
    case Errc::not_empty: case Errc::name_too_long: case Errc::too_many_links: case Errc::no_xattr:
    case Errc::cross_bucket: case Errc::bad_cookie: case Errc::not_permitted:
      // clang-format on
      break;
  }
  return Code::internal_error;
}

namespace {

/// Empty: the row's, that of the bucket's bytes.
std::string quota_message(std::string_view limit) {
  if (limit == ns::kObjectsQuota) {
    return "The bucket's quota of objects does not allow this. Delete objects, or ask for a larger "
           "quota.";
  }
  if (limit == ns::kGroupBytesQuota) {
    return "The account's quota of bytes does not allow this. Delete objects in any of its "
           "buckets, "
           "or ask for a larger quota.";
  }
  return limit == ns::kGroupObjectsQuota
             ? "The account's quota of objects does not allow this. Delete objects in any of its "
               "buckets, or ask for a larger quota."
             : std::string();
}

}  // namespace

S3Error::S3Error(const Error& error) : code(to_code(error.code())) {
  if (error.code() == Errc::read_only) {
    message = "The store is read-only for now; /health/ready of the admin address says why.";
  }
  if (error.code() == Errc::quota_exceeded) {
    message = quota_message(error.detail());
  }
  if (error.code() == Errc::object_locked) {
    message = "Access Denied because object protected by object lock.";
  } else if (error.code() == Errc::no_object_lock) {
    message = kNoObjectLock;
  } else if (error.code() == Errc::bucket_state) {
    message =
        "An Object Lock configuration is present on this bucket, so the versioning state "
        "cannot be changed.";
  }
  if (error.code() == Errc::key_deleted) {
    headers = {{"x-amz-delete-marker", "true"}, {"x-amz-version-id", std::string(error.detail())}};
  } else if (error.code() == Errc::delete_marker) {
    const ns::MarkerDetail marker = ns::parse_marker_detail(error.detail());
    headers = {{"x-amz-delete-marker", "true"},
               {"x-amz-version-id", std::string(marker.version_id)},
               {"Last-Modified", format_http_date(marker.mtime_ns)},
               {"Allow", "DELETE"}};
  }
  if (status() >= 500) {
    log_detail = error.describe();
  }
}

S3Error::S3Error(const auth::AuthFailure& failure)
    : code(auth_code(failure.code)), message(failure.message) {
  if (!failure.string_to_sign.empty()) {
    details.emplace_back("StringToSign", failure.string_to_sign);
  }
  if (!failure.canonical_request.empty()) {
    details.emplace_back("CanonicalRequest", failure.canonical_request);
  }
}

std::unexpected<S3Error> denied(policy::Why why) {
  S3Error error(Code::access_denied);
  error.why = std::move(why);
  return std::unexpected(std::move(error));
}

std::unexpected<S3Error> bad_argument(std::string message, std::string name, std::string value) {
  return fail(Code::invalid_argument, std::move(message),
              {{"ArgumentName", std::move(name)}, {"ArgumentValue", std::move(value)}});
}

std::unexpected<S3Error> unsupported(std::string_view what) {
  return fail(Code::not_implemented, {}, {{"Header", std::string(what)}});
}

std::string error_document(const S3Error& error, const ErrorContext& context) {
  const ErrorRow& r = row(error.code);
  XmlWriter xml("Error", XmlWriter::Namespace::none);
  xml.text("Code", r.name);
  xml.text("Message", error.message.empty() ? r.message : std::string_view(error.message));
  for (const auto& [name, value] : error.details) {
    xml.text(name, value);
  }
  switch (error.code) {
    case Code::no_such_key:
    case Code::no_such_version:
      xml.text("Key", context.key);
      break;
    case Code::no_such_bucket:
    case Code::no_such_bucket_policy:
    case Code::no_such_lifecycle_configuration:
    case Code::no_such_public_access_block:
    case Code::no_such_tag_set:
    case Code::no_such_website_configuration:
    case Code::no_such_cors_configuration:
    case Code::object_lock_not_found:
    case Code::ownership_controls_not_found:
    case Code::replication_not_found:
    case Code::sse_configuration_not_found:
    case Code::bucket_already_owned_by_you:
    case Code::invalid_bucket_name:
    case Code::bucket_not_empty:
      xml.text("BucketName", context.bucket);
      break;
    default:
      break;
  }
  xml.text("Resource", context.resource);
  xml.text("RequestId", context.request_id);
  xml.text("HostId", context.host_id);
  return std::move(xml).take();
}

}  // namespace outcrop::s3
