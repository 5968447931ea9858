// PutObject and RenameObject.
#include "api/s3/acl.h"
#include "api/s3/call.h"
#include "api/s3/existing_tags.h"
#include "api/s3/object_lock.h"
#include "api/s3/object_response.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "auth/uri.h"

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
  S3_CO_TRY(auto writer, co_await call.ns.open_write(call.bucket(), call.key(), *plan.length));
  S3_CO_TRY(Received received,
            co_await receive_object(call, *writer, plan, digest::Algorithm::none));
  put.etag = std::move(received.md5);
  put.checksum = std::move(received.checksum);
  S3_CO_TRYV(confirm_owner(call));
  S3_CO_TRY(const ns::ObjectInfo info,
            co_await call.ns.put(call.bucket(), call.key(), std::move(writer), std::move(put)));
  http::Response response = empty_response(200);
  response.set("ETag", quoted_etag(info.etag));
  add_checksum(response, info.checksum, 0);
  add_version(call, info.version_id, response);
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
      add_version(call, version, response);
      co_return response;
    }
    S3_CO_TRY(tags, co_await authorize_move(call, source));
  }
  co_return fail(Code::operation_aborted);
}

}  // namespace outcrop::s3
