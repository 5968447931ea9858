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

/// Replaces the tags that were decided on; decides again while the object has got other ones.
Answer replace_tags(Call& call, const ns::StringPairs& tags, int status) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  for (int attempt = 0; attempt < kMaxTagAttempts; ++attempt) {
    const auto set = co_await call.ns.set_tags(call.bucket(), call.key(), version, tags,
                                               call.context.existing_tags());
    if (set || set.error().code() != Errc::conflict) {
      S3_CO_TRY(const ns::ObjectInfo info, set);
      http::Response response = empty_response(status);
      add_version(call, info.version_id, response);
      co_return response;
    }
    S3_CO_TRYV(co_await learn_existing_tags(call.asker, call.context, call.ns, call.bucket(),
                                            call.key(), call.query("versionId")));
    S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  }
  co_return fail(Code::operation_aborted);
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
  S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  co_return co_await replace_tags(call, *tags, 200);
}

Answer delete_object_tagging(Call& call) { co_return co_await replace_tags(call, {}, 204); }

}  // namespace outcrop::s3
