// Tags of objects.
#include "api/s3/call.h"
#include "api/s3/existing_tags.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/tags.h"

namespace outcrop::s3 {
namespace {

Async<Outcome<ns::StringPairs>> receive_tags(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  co_return parse_tagging(std::move(text), TagOwner::object);
}

Answer set_tags(Call& call, ns::StringPairs tags, int status) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const ns::ObjectInfo info,
            co_await call.ns.set_tags(call.bucket(), call.key(), version, std::move(tags)));
  http::Response response = empty_response(status);
  add_version(call, info.version_id, response);
  co_return response;
}

}  // namespace

Answer get_object_tagging(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  S3_CO_TRYV(confirm_existing_tags(call, info));
  http::Response response = xml_response(tagging_document(info.attributes.tags));
  add_version(call, info.version_id, response);
  co_return response;
}

/// The decision comes before what is wrong with the body: strangers learn nothing from it.
Answer put_object_tagging(Call& call) {
  auto tags = co_await receive_tags(call);
  call.context.set_request_tags(tags ? *tags : ns::StringPairs{});
  S3_CO_TRYV(authorize_now(call.asker, call.op, call.target));
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  co_return co_await set_tags(call, *std::move(tags), 200);
}

Answer delete_object_tagging(Call& call) { co_return co_await set_tags(call, {}, 204); }

}  // namespace outcrop::s3
