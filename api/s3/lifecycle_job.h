// Carries out lifecycle rules: one pass looks at all buckets that have any, removes the objects
// whose time has come, and gives up uploads. Objects are removed one at a time, each on the
// condition that it is still the one that was looked at; so a pass may be cut off anywhere. Rules
// that are changed or deleted while a pass carries them out end it for their bucket: the next pass
// has the new ones. In a bucket with versions a removal of an object is a delete without a version
// id: while they are made, the object stays as one, below a delete marker; while they are
// suspended, the version `null` goes. Versions that are not current go for good, on the condition
// that they are still those that were looked at and still not current; and last the delete marker
// that nothing is left below.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "api/s3/bucket_settings.h"
#include "api/s3/lifecycle.h"
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

  /// Objects, versions and delete markers.
  std::uint64_t expired() const { return x_expired.load(std::memory_order_relaxed); }
  std::uint64_t aborted() const { return x_aborted.load(std::memory_order_relaxed); }

 private:
  Task<> serve(const BucketSettings& bucket);
  Task<> expire_objects(const BucketSettings& bucket);
  Task<> expire(const BucketSettings& bucket, const ns::ListEntry& entry);
  /// The versions of one key, as far as they were looked at: the newest first.
  struct KeyVersions {
    std::string key{};
    std::uint64_t staying = 0;                 ///< of those that are not current
    std::optional<ns::VersionEntry> newer{};   ///< the one that was looked at last
    std::optional<ns::VersionEntry> marker{};  ///< if it is the newest
  };
  Task<> expire_versions(const BucketSettings& bucket);
  Task<> expire_version(const BucketSettings& bucket,
                        const ns::VersionEntry& version,
                        KeyVersions& key);
  Task<> expire_marker(const BucketSettings& bucket, const KeyVersions& key);
  /// The rule by which it goes now; null: none. Sets `tags` if rules look at them.
  Task<const LifecycleRule*> find_rule(const BucketSettings& bucket,
                                       const ns::VersionEntry& version,
                                       OldVersion& old,
                                       std::optional<ns::StringPairs>& tags);
  /// When a version came to its key; empty: it has gone.
  Task<std::optional<std::int64_t>> when_it_came(const BucketSettings& bucket,
                                                 const ns::VersionEntry& version);
  /// False: it is not what was looked at any more.
  Task<bool> remove_version(const BucketSettings& bucket,
                            const ns::VersionEntry& version,
                            ns::Conditions unchanged,
                            const LifecycleRule& rule);
  Task<> abort_uploads(const BucketSettings& bucket);
  /// `what`: more about it; may be empty.
  void record(std::string_view action,
              std::string_view bucket,
              std::string_view key,
              std::string_view rule,
              std::string_view what = {}) const;
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
