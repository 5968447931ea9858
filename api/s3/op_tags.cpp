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

/// With the version that was named.
http::Response tags_response(const Call& call, http::Response response) {
  if (call.query("versionId")) {
    response.set("x-amz-version-id", "null");
  }
  return response;
}

/// Replaces the tags that were decided on; decides again while the object has got other ones.
Async<Outcome<>> replace_tags(Call& call, const ns::StringPairs& tags) {
  for (int attempt = 0; attempt < kMaxTagAttempts; ++attempt) {
    const auto set =
        co_await call.ns.set_tags(call.bucket(), call.key(), tags, call.context.existing_tags());
    if (set || set.error().code() != Errc::conflict) {
      S3_CO_TRYV(set);
      co_return Outcome<>{};
    }
    S3_CO_TRYV(
        co_await learn_existing_tags(call.asker, call.context, call.ns, call.bucket(), call.key()));
    S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  }
  co_return fail(Code::operation_aborted);
}

}  // namespace

Answer get_object_tagging(Call& call) {
  S3_CO_TRYV(null_version(call.query("versionId")));
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key()));
  S3_CO_TRYV(confirm_existing_tags(call, info));
  co_return tags_response(call, xml_response(tagging_document(info.attributes.tags)));
}

/// The decision comes before what is wrong with the body: strangers learn nothing from it.
Answer put_object_tagging(Call& call) {
  auto tags = co_await receive_tags(call);
  call.context.set_request_tags(tags ? *tags : ns::StringPairs{});
  S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  S3_CO_TRYV(null_version(call.query("versionId")));
  S3_CO_TRYV(co_await replace_tags(call, *tags));
  co_return tags_response(call, empty_response(200));
}

Answer delete_object_tagging(Call& call) {
  S3_CO_TRYV(null_version(call.query("versionId")));
  S3_CO_TRYV(co_await replace_tags(call, {}));
  co_return tags_response(call, empty_response(204));
}

}  // namespace outcrop::s3
