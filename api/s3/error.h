// What an S3 operation answers when it cannot do what was asked: AWS's code, status and text.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/authenticator.h"
#include "auth/policy/evaluate.h"
#include "storage/base/result.h"

namespace outcrop::s3 {

/// The AWS error codes this gateway answers with; error_map.cpp has one row for each.
enum class Code : std::uint8_t {
  access_control_list_not_supported,
  access_denied,
  access_forbidden,
  authorization_header_malformed,
  authorization_query_parameters_error,
  bad_digest,
  bad_request,
  bucket_already_exists,
  bucket_already_owned_by_you,
  bucket_not_empty,
  conditional_request_conflict,
  entity_too_large,
  entity_too_small,
  expired_token,
  illegal_versioning_configuration,
  incomplete_body,
  insufficient_storage,
  internal_error,
  invalid_access_key_id,
  invalid_argument,
  invalid_bucket_acl,
  invalid_bucket_name,
  invalid_bucket_state,
  invalid_checksum,
  invalid_digest,
  invalid_encryption_algorithm,
  invalid_location_constraint,
  invalid_part,
  invalid_part_number,
  invalid_part_order,
  invalid_policy_document,
  invalid_range,
  invalid_request,
  invalid_retention_period,
  invalid_storage_class,
  invalid_tag,
  invalid_token,
  invalid_uri,
  invalid_write_offset,
  key_too_long,
  kms_disabled,
  kms_not_found,
  malformed_acl,
  malformed_policy,
  malformed_post_request,
  malformed_trailer,
  malformed_xml,
  max_message_length_exceeded,
  max_post_pre_data_exceeded,
  metadata_too_large,
  method_not_allowed,
  missing_content_length,
  missing_request_body,
  missing_security_header,
  no_such_bucket,
  no_such_bucket_policy,
  no_such_configuration,
  no_such_cors_configuration,
  no_such_key,
  no_such_lifecycle_configuration,
  no_such_object_lock_configuration,
  no_such_public_access_block,
  no_such_tag_set,
  no_such_upload,
  no_such_version,
  no_such_website_configuration,
  not_implemented,
  not_modified,
  object_lock_not_found,
  operation_aborted,
  ownership_controls_not_found,
  precondition_failed,
  quota_exceeded,
  replication_not_found,
  request_time_too_skewed,
  request_timeout,
  service_unavailable,
  signature_does_not_match,
  slow_down,
  sse_configuration_not_found,
  too_many_buckets,
  too_many_parts,
  too_many_tags,
  unexpected_content,
  unresolvable_grant,
  wrong_client_key,
  content_sha256_mismatch,
  count_,
};

struct ErrorRow {
  Code code = Code::count_;
  int status = 500;
  std::string_view name;     ///< <Code>
  std::string_view message;  ///< <Message>, AWS's words: clients match on them
};

/// What AWS says of locks in a bucket without Object Lock.
inline constexpr std::string_view kNoObjectLock = "Bucket is missing Object Lock Configuration";

/// The row of a code.
const ErrorRow& row(Code code);

/// What storage errors mean on this wire.
Code to_code(Errc code);

using Details = std::vector<std::pair<std::string, std::string>>;

/// A failed operation. Built from a storage Error by the TRY macros below.
struct S3Error {
  Code code = Code::internal_error;
  std::string message;               ///< empty: the row's
  Details details;                   ///< elements after <Message>, e.g. ArgumentName
  Details headers;                   ///< extra response headers
  std::string log_detail;            ///< for the log only
  std::optional<policy::Why> why{};  ///< of access_denied by a policy: for the audit log only

  explicit S3Error(Code c, std::string text = {}, Details more = {})
      : code(c), message(std::move(text)), details(std::move(more)) {}
  explicit S3Error(const Error& error);
  explicit S3Error(const auth::AuthFailure& failure);
  S3Error(S3Error&&) = default;
  S3Error(const S3Error&) = default;
  S3Error& operator=(S3Error&&) = default;
  S3Error& operator=(const S3Error&) = default;

  int status() const { return row(code).status; }
};

template <class T = void>
using Outcome = std::expected<T, S3Error>;

inline std::unexpected<S3Error> fail(Code code, std::string message = {}, Details details = {}) {
  return std::unexpected<S3Error>(S3Error(code, std::move(message), std::move(details)));
}
/// AccessDenied by a policy.
std::unexpected<S3Error> denied(policy::Why why);
/// InvalidArgument as AWS writes it, with the argument it is about.
std::unexpected<S3Error> bad_argument(std::string message, std::string name, std::string value);
/// NotImplemented with the header or parameter it is about.
std::unexpected<S3Error> unsupported(std::string_view what);

/// What an error document is about.
struct ErrorContext {
  std::string_view bucket, key, resource, request_id, host_id;
};

/// The <Error> document.
std::string error_document(const S3Error& error, const ErrorContext& context);

}  // namespace outcrop::s3

#define S3_TRY_(ret, tmp, lhs, ...)                                                              \
  auto tmp = (__VA_ARGS__);                                                                      \
  if (!tmp) {                                                                                    \
    ret std::unexpected<::outcrop::s3::S3Error>(::outcrop::s3::S3Error(std::move(tmp).error())); \
  }                                                                                              \
  lhs = *std::move(tmp)
#define S3_TRYV_(ret, tmp, ...)                                                                  \
  auto tmp = (__VA_ARGS__);                                                                      \
  if (!tmp) {                                                                                    \
    ret std::unexpected<::outcrop::s3::S3Error>(::outcrop::s3::S3Error(std::move(tmp).error())); \
  }
/// TRY and CO_TRY of storage/base/result.h for functions that return Outcome<T>: the expression may
/// give a Result or an Outcome.
#define S3_TRY(lhs, ...) S3_TRY_(return, OUTCROP_CAT(try_, __COUNTER__), lhs, __VA_ARGS__)
#define S3_TRYV(...) S3_TRYV_(return, OUTCROP_CAT(try_, __COUNTER__), __VA_ARGS__)
#define S3_CO_TRY(lhs, ...) S3_TRY_(co_return, OUTCROP_CAT(try_, __COUNTER__), lhs, __VA_ARGS__)
#define S3_CO_TRYV(...) S3_TRYV_(co_return, OUTCROP_CAT(try_, __COUNTER__), __VA_ARGS__)
