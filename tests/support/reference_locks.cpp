// Object Lock of the reference namespace: its own reading of the rules.
#include <algorithm>

#include "tests/support/reference_namespace.h"

namespace outcrop::testing {

using ns::LegalHold;
using ns::RetentionMode;

namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
}  // namespace

std::int64_t ReferenceNamespace::now_seconds() const { return x_clock.wall_ns() / kSecond; }

bool ReferenceNamespace::kept(const Object& object, bool bypass) const {
  const ns::ObjectLock& lock = object.info.attributes.lock;
  const bool over = lock.retention.mode == RetentionMode::none ||
                    lock.retention.until <= now_seconds() ||
                    (lock.retention.mode == RetentionMode::governance && bypass);
  return lock.hold == LegalHold::on || !over;
}

Result<void> ReferenceNamespace::lock_new(const Bucket& in, ns::ObjectAttributes& attributes) {
  ns::ObjectLock& lock = attributes.lock;
  const ns::BucketLock& bucket = in.info.lock;
  if (!bucket.enabled) {
    return lock == ns::ObjectLock{} ? ok() : Result<void>(fail(Errc::no_object_lock));
  }
  if (lock.retention.mode == RetentionMode::none && bucket.mode != RetentionMode::none) {
    // The tests know no leap day.
    const std::int64_t days = bucket.days + 365 * std::int64_t{bucket.years};
    lock.retention = {bucket.mode, (x_clock.wall_ns() + kSecond - 1) / kSecond + days * 86'400};
  }
  return ok();
}

Task<> ReferenceNamespace::put_object_lock(std::string_view name, ns::BucketLock lock) {
  CO_TRY(Bucket* const in, bucket(name));
  if (in->info.versioning != ns::Versioning::enabled) {
    co_return fail(Errc::bucket_state);
  }
  in->info.lock = lock;
  co_return ok();
}

Task<ns::ObjectInfo> ReferenceNamespace::set_lock(std::string_view name,
                                                  std::string_view key,
                                                  std::string_view version_id,
                                                  ns::LockChange change) {
  CO_TRY(const Bucket* const in, bucket(name));
  if (!in->info.lock.enabled) {
    co_return fail(Errc::no_object_lock);
  }
  CO_TRY(Object found, find_version(name, key, version_id));
  ns::ObjectLock& lock = found.info.attributes.lock;
  if (change.hold) {
    lock.hold = *change.hold ? LegalHold::on : LegalHold::off;
  }
  if (change.retention) {
    const ns::Retention& old = lock.retention;
    const bool free = old.mode == RetentionMode::none || old.until <= now_seconds() ||
                      (old.mode == RetentionMode::governance && change.bypass_governance);
    const bool longer = change.retention->mode == old.mode && change.retention->until >= old.until;
    if (!free && !longer) {
      co_return fail(Errc::object_locked);
    }
    lock.retention = *change.retention;
  }
  lock.writing = false;
  CO_TRYV(put_attributes(name, key, found));
  co_return found.info;
}

}  // namespace outcrop::testing
