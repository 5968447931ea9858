// Settings of buckets that are documents: put, get, delete.
#include "api/s3/bucket_settings.h"
#include "api/s3/call.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kMinimumHeader = "x-amz-transition-default-minimum-object-size";
constexpr std::string_view kMinimumDefault = "all_storage_classes_128K",
                           kMinimumVaries = "varies_by_storage_class";

Answer put_setting(Call& call, Setting setting, int status) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  S3_CO_TRYV(set_document(next, setting, std::move(text)));
  S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  co_return empty_response(status);
}

Answer get_setting(Call& call, Setting setting, Code missing) {
  S3_CO_TRYV(co_await call.ns.get_bucket(call.bucket()));
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  if (settings) {
    S3_CO_TRYV(check_readable(*settings));
    if (const auto at = settings->documents.find(setting); at != settings->documents.end()) {
      co_return xml_response(at->second);
    }
  }
  co_return fail(missing);
}

Answer delete_setting(Call& call, Setting setting) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  if (next.unreadable || next.documents.contains(setting)) {
    erase_document(next, setting);
    S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  }
  co_return empty_response(204);
}

}  // namespace

Async<Outcome<BucketSettings>> current_settings(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  S3_CO_TRYV(confirm_owner(call));
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  BucketSettings out{.bucket = bucket.name, .root = bucket.root};
  if (settings && settings->root == bucket.root) {
    out = *settings;
  }
  // Whoever puts another setting in the place of a damaged record says nothing about encryption:
  // that it was on must not be forgotten.
  if (out.unreadable && bucket.sealing) {
    out.documents.emplace(Setting::encryption, std::string());
  }
  co_return out;
}

Answer put_bucket_tagging(Call& call) { return put_setting(call, Setting::tagging, 204); }
Answer get_bucket_tagging(Call& call) {
  return get_setting(call, Setting::tagging, Code::no_such_tag_set);
}
Answer delete_bucket_tagging(Call& call) { return delete_setting(call, Setting::tagging); }

Answer get_bucket_encryption(Call& call) {
  S3_CO_TRY(http::Response response,
            co_await get_setting(call, Setting::encryption, Code::sse_configuration_not_found));
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  if (!settings || !settings->encryption) {
    S3Error error(Code::internal_error);
    error.log_detail = "the default encryption of the bucket cannot be read; put or delete it";
    co_return std::unexpected(std::move(error));
  }
  co_return response;
}

Answer put_bucket_cors(Call& call) { return put_setting(call, Setting::cors, 200); }
Answer get_bucket_cors(Call& call) {
  return get_setting(call, Setting::cors, Code::no_such_cors_configuration);
}
Answer put_bucket_lifecycle(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  const std::string_view minimum = call.header(kMinimumHeader).value_or(kMinimumDefault);
  if (minimum != kMinimumDefault && minimum != kMinimumVaries) {
    co_return bad_argument({}, std::string(kMinimumHeader), std::string(minimum));
  }
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  S3_CO_TRYV(set_document(next, Setting::lifecycle, std::move(text)));
  erase_document(next, Setting::minimum_varies);
  if (minimum == kMinimumVaries) {
    S3_CO_TRYV(set_document(next, Setting::minimum_varies, {}));
  }
  S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  http::Response response = empty_response(200);
  response.set(std::string(kMinimumHeader), std::string(minimum));
  co_return response;
}

Answer get_bucket_lifecycle(Call& call) {
  S3_CO_TRY(http::Response response,
            co_await get_setting(call, Setting::lifecycle, Code::no_such_lifecycle_configuration));
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  const bool varies = settings && settings->documents.contains(Setting::minimum_varies);
  response.set(std::string(kMinimumHeader), std::string(varies ? kMinimumVaries : kMinimumDefault));
  co_return response;
}

Answer delete_bucket_lifecycle(Call& call) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  if (next.unreadable || next.documents.contains(Setting::lifecycle)) {
    erase_document(next, Setting::lifecycle);
    erase_document(next, Setting::minimum_varies);
    S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  }
  co_return empty_response(204);
}

Answer delete_bucket_cors(Call& call) { return delete_setting(call, Setting::cors); }

}  // namespace outcrop::s3
