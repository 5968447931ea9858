// Settings of buckets that are documents: put, get, delete.
#include "api/s3/bucket_settings.h"
#include "api/s3/call.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"

namespace outcrop::s3 {
namespace {

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
    if (const auto at = settings->documents.find(setting); at != settings->documents.end()) {
      co_return xml_response(at->second);
    }
  }
  co_return fail(missing);
}

Answer delete_setting(Call& call, Setting setting) {
  const access::AccessTable::Held held = co_await call.access.lock();
  S3_CO_TRY(BucketSettings next, co_await current_settings(call));
  if (next.documents.contains(setting)) {
    erase_document(next, setting);
    S3_CO_TRYV(co_await call.settings.put(held, std::move(next)));
  }
  co_return empty_response(204);
}

}  // namespace

Async<Outcome<BucketSettings>> current_settings(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  const BucketSettingsPtr settings = call.settings.find(call.bucket());
  if (settings && settings->root == bucket.root) {
    co_return BucketSettings(*settings);
  }
  co_return BucketSettings{.bucket = bucket.name, .root = bucket.root};
}

Answer put_bucket_tagging(Call& call) { return put_setting(call, Setting::tagging, 204); }
Answer get_bucket_tagging(Call& call) {
  return get_setting(call, Setting::tagging, Code::no_such_tag_set);
}
Answer delete_bucket_tagging(Call& call) { return delete_setting(call, Setting::tagging); }

Answer put_bucket_cors(Call& call) { return put_setting(call, Setting::cors, 200); }
Answer get_bucket_cors(Call& call) {
  return get_setting(call, Setting::cors, Code::no_such_cors_configuration);
}
Answer put_bucket_lifecycle(Call& call) { return put_setting(call, Setting::lifecycle, 200); }
Answer get_bucket_lifecycle(Call& call) {
  return get_setting(call, Setting::lifecycle, Code::no_such_lifecycle_configuration);
}
Answer delete_bucket_lifecycle(Call& call) { return delete_setting(call, Setting::lifecycle); }

Answer delete_bucket_cors(Call& call) { return delete_setting(call, Setting::cors); }

}  // namespace outcrop::s3
