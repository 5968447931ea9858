// PutObjectLockConfiguration, PutObjectRetention, PutObjectLegalHold and what reads them.
#include "api/s3/call.h"
#include "api/s3/object_lock.h"
#include "api/s3/ops.h"
#include "api/s3/payload.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

/// The lock of the version that is asked for, in a bucket with Object Lock.
Async<Outcome<ns::ObjectLock>> find_lock(Call& call) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  if (!bucket.lock.enabled) {
    co_return fail(Code::invalid_request, std::string(kNoObjectLock));
  }
  S3_CO_TRY(const ns::ObjectInfo info, co_await call.ns.stat(call.bucket(), call.key(), version));
  co_return info.attributes.lock;
}

Answer change_lock(Call& call, ns::LockChange change) {
  S3_CO_TRY(const std::string_view version, version_asked(call.query("versionId")));
  S3_CO_TRYV(confirm_owner(call));
  change.bypass_governance = bypasses_governance(call, call.key());
  S3_CO_TRYV(co_await call.ns.set_lock(call.bucket(), call.key(), version, change));
  co_return empty_response(200);
}

}  // namespace

Answer put_object_lock_configuration(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  S3_CO_TRY(const ns::BucketLock lock, parse_lock_configuration(std::move(text)));
  S3_CO_TRYV(confirm_owner(call));
  const auto put = co_await call.ns.put_object_lock(call.bucket(), lock);
  if (!put && put.error().code() == Errc::bucket_state) {
    co_return fail(
        Code::invalid_bucket_state,
        "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
  }
  S3_CO_TRYV(put);
  co_return empty_response(200);
}

Answer get_object_lock_configuration(Call& call) {
  S3_CO_TRY(const ns::BucketInfo bucket, co_await call.ns.get_bucket(call.bucket()));
  if (!bucket.lock.enabled) {
    co_return fail(Code::object_lock_not_found);
  }
  co_return xml_response(lock_configuration_document(bucket.lock));
}

/// The decision comes before what is wrong with the body: strangers learn nothing from it.
Answer put_object_retention(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  const auto retention = parse_retention(std::move(text));
  call.context.set_lock({.retention = retention.value_or(ns::Retention{})});
  S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  if (!retention) {
    co_return std::unexpected(retention.error());
  }
  if (retention->mode != ns::RetentionMode::none &&
      retention->until <= call.context.clock().wall_ns() / 1'000'000'000) {
    co_return bad_argument("The retain until date must be in the future!", "RetainUntilDate",
                           format_iso_seconds(retention->until));
  }
  co_return co_await change_lock(call, {.retention = *retention});
}

Answer get_object_retention(Call& call) {
  S3_CO_TRY(const ns::ObjectLock lock, co_await find_lock(call));
  if (lock.retention.mode == ns::RetentionMode::none) {
    co_return fail(Code::no_such_object_lock_configuration);
  }
  XmlWriter xml("Retention");
  xml.text("Mode", mode_name(lock.retention.mode));
  xml.text("RetainUntilDate", format_iso_seconds(lock.retention.until));
  co_return xml_response(std::move(xml).take());
}

Answer put_object_legal_hold(Call& call) {
  S3_CO_TRY(std::string text, co_await receive_document(call));
  const auto on = parse_legal_hold(std::move(text));
  const bool hold = on.value_or(false);
  call.context.set_lock({.hold = hold ? ns::LegalHold::on : ns::LegalHold::off});
  S3_CO_TRY(call.grant, authorize_now(call.asker, call.op, call.target));
  if (!on) {
    co_return std::unexpected(on.error());
  }
  co_return co_await change_lock(call, {.hold = hold});
}

Answer get_object_legal_hold(Call& call) {
  S3_CO_TRY(const ns::ObjectLock lock, co_await find_lock(call));
  if (lock.hold == ns::LegalHold::unset) {
    co_return fail(Code::no_such_object_lock_configuration);
  }
  XmlWriter xml("LegalHold");
  xml.text("Status", lock.hold == ns::LegalHold::on ? "ON" : "OFF");
  co_return xml_response(std::move(xml).take());
}

}  // namespace outcrop::s3
