#include "storage/ns/object_lock.h"

#include <algorithm>
#include <chrono>

#include "storage/base/codec.h"

namespace outcrop::ns {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;

// Of an encoded lock.
constexpr unsigned kModeBits = 3, kHoldShift = 2, kHoldBits = 3, kWriting = 16, kAll = 31;

bool retains(const Retention& retention, std::int64_t now) {
  return retention.mode != RetentionMode::none && now < retention.until;
}

// The same day of the year; the day behind the 29th of February where there is none.
std::int64_t years_later(std::int64_t seconds, std::uint32_t years) {
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(at);
  const year_month_day date = year_month_day(day) + std::chrono::years(static_cast<int>(years));
  const sys_days later = date.ok() ? sys_days(date) : sys_days(date.year() / March / 1);
  return (later.time_since_epoch() + (at - day)).count();
}

}  // namespace

bool is_sound(const BucketLock& lock) {
  if (lock.mode == RetentionMode::none) {
    return lock.days == 0 && lock.years == 0;
  }
  return lock.enabled && (lock.days == 0) != (lock.years == 0) && lock.days <= kMaxRetentionDays &&
         lock.years <= kMaxRetentionYears;
}

std::int64_t lock_time(const Clock& clock) { return clock.settled_ns() / kSecond; }

bool is_locked(const ObjectLock& lock, std::int64_t now) { return !is_removable(lock, now, false); }

bool is_removable(const ObjectLock& lock, std::int64_t now, bool bypass) {
  if (lock.hold == LegalHold::on) {
    return false;
  }
  return !retains(lock.retention, now) ||
         (bypass && lock.retention.mode == RetentionMode::governance);
}

Result<ObjectLock> changed_lock(const ObjectLock& lock,
                                const LockChange& change,
                                std::int64_t now) {
  ObjectLock out = lock;
  out.writing = false;
  if (change.hold) {
    out.hold = *change.hold ? LegalHold::on : LegalHold::off;
  }
  if (!change.retention) {
    return out;
  }
  const Retention& old = lock.retention;
  const bool longer = change.retention->mode == old.mode && change.retention->until >= old.until;
  const bool lifted = change.bypass_governance && old.mode == RetentionMode::governance;
  if (retains(old, now) && !longer && !lifted) {
    return fail(Errc::object_locked);
  }
  out.retention = *change.retention;
  return out;
}

Retention default_retention(const BucketLock& bucket, std::int64_t wall_ns) {
  if (bucket.mode == RetentionMode::none) {
    return {};
  }
  const std::int64_t from = (wall_ns + kSecond - 1) / kSecond;
  const std::int64_t until =
      bucket.years > 0 ? years_later(from, bucket.years) : from + kDay * bucket.days;
  return {bucket.mode, std::min(until, kLastRetention)};
}

Result<ObjectLock> new_lock(const BucketLock& bucket, ObjectLock asked, std::int64_t wall_ns) {
  if (!bucket.enabled) {
    return asked.empty() ? Result<ObjectLock>(ObjectLock{}) : fail(Errc::no_object_lock);
  }
  if (asked.retention.mode == RetentionMode::none) {
    asked.retention = default_retention(bucket, wall_ns);
  }
  asked.writing = false;
  return asked;
}

ObjectLock file_lock(const BucketLock& bucket, std::int64_t wall_ns) {
  ObjectLock out{.retention = default_retention(bucket, wall_ns)};
  out.writing = !out.empty();
  return out;
}

void extend_file_lock(ObjectLock& lock, const BucketLock& bucket, std::int64_t wall_ns) {
  const Retention now = default_retention(bucket, wall_ns);
  lock.retention.mode = std::max(lock.retention.mode, now.mode);
  lock.retention.until = std::max(lock.retention.until, now.until);
  lock.writing = !lock.empty();
}

std::string encode(const ObjectLock& lock) {
  Writer w;
  w.u8(static_cast<std::uint8_t>(static_cast<unsigned>(lock.retention.mode) |
                                 static_cast<unsigned>(lock.hold) << kHoldShift |
                                 (lock.writing ? kWriting : 0)));
  if (lock.retention.mode != RetentionMode::none) {
    w.varint(static_cast<std::uint64_t>(lock.retention.until));
  }
  return std::move(w).take();
}

Result<ObjectLock> decode_object_lock(std::string_view bytes) {
  Reader r(bytes);
  const unsigned flags = r.u8();
  const unsigned mode = flags & kModeBits, hold = flags >> kHoldShift & kHoldBits;
  ObjectLock out{.retention = {static_cast<RetentionMode>(mode), 0},
                 .hold = static_cast<LegalHold>(hold),
                 .writing = (flags & kWriting) != 0};
  bool sound = flags <= kAll && mode <= 2 && hold <= 2;
  if (mode != 0) {
    const std::uint64_t until = r.varint();
    sound = sound && until > 0 && until <= static_cast<std::uint64_t>(kLastRetention);
    out.retention.until = static_cast<std::int64_t>(until);
  }
  if (!r.done() || !sound || out.empty()) {
    return fail(Errc::corrupt, "object lock malformed");
  }
  return out;
}

}  // namespace outcrop::ns
