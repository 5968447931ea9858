// PutObject and RenameObject.
#include <algorithm>

#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/encryption.h"
#include "api/s3/existing_tags.h"
#include "api/s3/object_lock.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "auth/uri.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {
namespace {

/// x-amz-rename-source: the key alone, or "/bucket/key" of this bucket; encoded.
Outcome<std::string> rename_source(const Call& call) {
  const auto header = call.header("x-amz-rename-source");
  std::string key;
  if (!header || !auth::uri_decode(*header, key) || !auth::check_key(key)) {
    return bad_argument("Rename source must be an encoded key of this bucket",
                        "x-amz-rename-source", std::string(header.value_or("")));
  }
  if (const std::string whole = "/" + call.bucket() + "/"; key.starts_with(whole)) {
    key.erase(0, whole.size());
  }
  if (key.empty() || key.ends_with('/') != call.key().ends_with('/')) {
    return bad_argument("A directory can be renamed to a directory only, an object to an object",
                        "x-amz-rename-source", std::string(*header));
  }
  return key;
}

/// Moving a key reads it here, deletes it here, and puts it there. A directory moves with every key
/// that it has by then. Gives the tags that it was decided on.
Async<Outcome<ns::ExpectedTags>> authorize_move(Call& call, std::string_view from) {
  static const policy::Action get = policy::find_action("s3:GetObject").value();
  static const policy::Action erase = policy::find_action("s3:DeleteObject").value();
  static const policy::Action put = policy::find_action("s3:PutObject").value();
  S3_CO_TRYV(co_await learn_existing_tags(call.asker, call.context, call.ns, call.bucket(), from,
                                          std::nullopt));
  S3_CO_TRYV(authorize(call.asker, get, call.bucket(), from));
  ns::ExpectedTags tags = call.context.existing_tags();
  forget_object(call.context);
  S3_CO_TRYV(authorize(call.asker, erase, call.bucket(), from));
  S3_CO_TRYV(authorize(call.asker, put, call.bucket(), call.key()));
  if (from.ends_with('/')) {
    S3_CO_TRYV(authorize_below(call.asker, get, call.bucket(), from));
    S3_CO_TRYV(authorize_below(call.asker, erase, call.bucket(), from));
    S3_CO_TRYV(authorize_below(call.asker, put, call.bucket(), call.key()));
    tags.reset();
  }
  co_return tags;
}

constexpr std::string_view kWriteOffset = "x-amz-write-offset-bytes";

/// Where the payload goes; empty: the object is new.
Outcome<std::optional<std::uint64_t>> write_offset(const Call& call, const PayloadPlan& plan) {
  const auto text = call.header(kWriteOffset);
  if (!text) {
    return std::nullopt;
  }
  const auto offset = parse_number(*text);
  if (!offset) {
    return bad_argument("The write offset is not a number of bytes.", std::string(kWriteOffset),
                        std::string(*text));
  }
  if (!plan.length) {  // whether it is empty is to be known before anything is written
    return fail(Code::missing_content_length);
  }
  if (plan.length == 0) {
    return fail(Code::invalid_request,
                "Request body cannot be empty when 'write offset' is specified.");
  }
  return offset;
}

std::unexpected<S3Error> wrong_offset() { return fail(Code::invalid_write_offset); }

/// x-amz-acl: private is what rclone and others always send, and means nothing then.
bool says_acl(const Call& call) {
  const auto says = [](const http::Header& h) {
    return is_acl_header(h.name) && !(h.name == "x-amz-acl" && h.value == "private");
  };
  return std::ranges::any_of(call.request.headers, says) || std::ranges::any_of(call.hoisted, says);
}

/// What is appended to has its attributes and its checksum algorithm, and keeps them. Gives the
/// algorithm that the payload needs.
Async<Outcome<digest::Algorithm>> check_appended(Call& call,
                                                 const PayloadPlan& plan,
                                                 const ns::PutRequest& put) {
  const auto found = co_await call.ns.stat(call.bucket(), call.key());
  if (!found && found.error().code() != Errc::no_such_key &&
      found.error().code() != Errc::key_deleted) {
    co_return std::unexpected(S3Error(found.error()));
  }
  if ((found ? found->size : 0) != *put.append_at) {
    co_return wrong_offset();
  }
  if (!found) {
    co_return digest::Algorithm::none;
  }
  if (!found->attributes.envelope.empty()) {  // it is encrypted as a whole
    co_return unsupported(kWriteOffset);
  }
  if (!put.attributes.user_meta.empty() || !put.attributes.tags.empty() || says_acl(call)) {
    co_return fail(Code::invalid_request,
                   "Cannot specify both a write offset value and user-defined object metadata for "
                   "existing objects.");
  }
  const digest::Algorithm kept = found->checksum.algorithm;
  if (kept != digest::Algorithm::none && plan.algorithm != digest::Algorithm::none &&
      kept != plan.algorithm) {
    co_return fail(
        Code::invalid_request,
        "Checksum Type mismatch occurred, expected checksum Type: " + lower(digest::name(kept)) +
            ", actual checksum Type: " + lower(digest::name(plan.algorithm)));
  }
  co_return kept;
}

S3Error append_error(const Error& error) {
  switch (error.code()) {
    case Errc::range_not_satisfiable:
      return wrong_offset().error();
    case Errc::invalid_part:
      return fail(Code::too_many_parts).error();
    case Errc::conflict:
      return fail(Code::operation_aborted).error();
    default:
      return S3Error(error);
  }
}

}  // namespace

Answer put_object(Call& call) {
  if (call.query("partNumber")) {
    co_return fail(Code::invalid_request,
                   "Missing required parameter for this request: 'uploadId'");
  }
  S3_CO_TRY(const PayloadPlan plan, plan_object(call));
  ns::PutRequest put;
  S3_CO_TRY(put.attributes, tagged_attributes_of(call));
  S3_CO_TRY(put.attributes.acl, new_object_acl(call));
  S3_CO_TRY(put.attributes.lock, co_await requested_lock(call));
  put.file = file_fields_of(call, put.attributes);
  S3_CO_TRY(put.conditions, write_conditions(call));
  S3_CO_TRY(put.append_at, write_offset(call, plan));
  digest::Algorithm also = digest::Algorithm::none;
  if (put.append_at) {
    S3_CO_TRY(also, co_await check_appended(call, plan, put));
  }
  Sealing sealing;
  if (may_seal(call)) {
    S3_CO_TRY(sealing, co_await sealing_of(call));
  }
  if (put.append_at && !sealing.plain()) {
    co_return unsupported(kWriteOffset);
  }
  NewSeal seal = new_seal(call, sealing);
  put.attributes.envelope = std::move(seal.envelope);
  S3_CO_TRY(auto writer, co_await call.ns.open_write(call.bucket(), call.key(),
                                                     {.size_hint = plan.length.value_or(0),
                                                      .seal = std::move(seal.key),
                                                      .append = put.append_at.has_value()}));
  S3_CO_TRY(Received received,
            co_await receive_object(call, *writer, plan, also, sealing.has_md5()));
  put.etag = etag_of(call, put.attributes.envelope, std::move(received.md5));
  put.checksum = received.checksum;
  S3_CO_TRYV(confirm_owner(call));
  const bool appends = put.append_at.has_value();
  const auto stored =
      co_await call.ns.put(call.bucket(), call.key(), std::move(writer), std::move(put));
  if (!stored) {
    co_return std::unexpected(appends ? append_error(stored.error()) : S3Error(stored.error()));
  }
  const ns::ObjectInfo& info = *stored;
  http::Response response = empty_response(200);
  response.set("ETag", quoted_etag(info.etag));
  add_checksum(response, received.checksum, 0);  // of an append as of a part: what came
  if (appends) {
    response.set("x-amz-object-size", std::to_string(info.size));
  }
  add_encryption(call, info.attributes.envelope, response, true);
  add_new_version(info.version_id, response);
  add_expiration(call, info, response);
  co_return response;
}

Answer rename_object(Call& call) {
  S3_CO_TRY(const std::string source, rename_source(call));
  S3_CO_TRY(ns::ExpectedTags tags, co_await authorize_move(call, source));
  for (const std::string_view name :
       {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}) {
    if (call.header(name)) {  // the rename is one step below; a check before it could lose a race
      co_return unsupported(name);
    }
  }
  for (int attempt = 0; attempt < kMaxTagAttempts; ++attempt) {
    auto moved = co_await call.ns.rename(call.bucket(), source, call.key(), std::move(tags));
    if (moved || moved.error().code() != Errc::conflict) {
      S3_CO_TRY(const std::string version, std::move(moved));
      http::Response response = empty_response(200);
      add_new_version(version, response);
      co_return response;
    }
    S3_CO_TRY(tags, co_await authorize_move(call, source));
  }
  co_return fail(Code::operation_aborted);
}

}  // namespace outcrop::s3
