// Carries out lifecycle rules: one pass looks at all buckets that have any, removes the objects
// whose time has come, and gives up uploads. Objects are removed one at a time, each on the
// condition that it is still the one that was looked at; so a pass may be cut off anywhere. Rules
// that are changed or deleted while a pass carries them out end it for their bucket: the next pass
// has the new ones. In a bucket with versions a removal is a delete without a version id: while
// they are made, the object stays as one, below a delete marker; while they are suspended, the
// version `null` goes.
#pragma once
#include <atomic>
#include <cstdint>

#include "api/s3/bucket_settings.h"
#include "auth/audit/event.h"
#include "storage/base/clock.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

class LifecycleJob {
 public:
  /// All borrowed; `audit` may be null. `day_seconds`: how long a day of a rule is.
  struct Parts {
    ns::Namespace& ns;
    const SettingsTable& settings;
    const Clock& clock;
    audit::Sink* audit = nullptr;
    std::int64_t day_seconds = kSecondsPerDay;
  };
  explicit LifecycleJob(Parts parts) : x_parts(parts) {}

  /// On one worker, one at a time. Errors of one bucket do not keep it from the others; the first
  /// one is returned. cancelled after stop().
  Task<> pass();
  /// The pass under way ends soon. Any thread.
  void stop() { x_stopping.store(true, std::memory_order_relaxed); }

  std::uint64_t expired() const { return x_expired.load(std::memory_order_relaxed); }
  std::uint64_t aborted() const { return x_aborted.load(std::memory_order_relaxed); }

 private:
  Task<> serve(const BucketSettings& bucket);
  Task<> expire_objects(const BucketSettings& bucket);
  Task<> expire(const BucketSettings& bucket, const ns::ListEntry& entry);
  Task<> abort_uploads(const BucketSettings& bucket);
  void record(std::string_view action,
              std::string_view bucket,
              std::string_view key,
              std::string_view rule) const;
  Result<void> check_stop() const {
    return x_stopping.load(std::memory_order_relaxed) ? fail(Errc::cancelled) : ok();
  }
  /// cancelled; stale if the rules are not in force any more.
  Result<void> check_goes_on(const BucketSettings& bucket) const;
  std::int64_t now_seconds() const { return x_parts.clock.wall_ns() / 1'000'000'000; }

  const Parts x_parts;
  std::atomic<bool> x_stopping{false};
  std::atomic<std::uint64_t> x_expired{0}, x_aborted{0};
};

}  // namespace outcrop::s3
