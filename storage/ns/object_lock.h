// Object Lock: what keeps a version as it is, and for how long. Retention holds until a moment, in
// two modes: governance, which who may can lift, and compliance, which nobody can; a legal hold
// holds until it is taken off. Rules of Amazon S3 User Guide, "Locking objects with Object Lock".
// Pure functions. Whoever takes a version away, or its bytes, asks them under the inode's lock:
// Transaction and mark_content() do, for everybody.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace outcrop::ns {

enum class RetentionMode : std::uint8_t { none, governance, compliance };

struct Retention {
  RetentionMode mode = RetentionMode::none;
  std::int64_t until = 0;  ///< seconds since 1970; it is over then; 0 without a mode
  bool operator==(const Retention&) const = default;
};
inline constexpr std::int64_t kLastRetention = 253'402'300'799;  ///< the end of the year 9999

enum class LegalHold : std::uint8_t { unset, off, on };

/// Of one version.
struct ObjectLock {
  Retention retention{};
  LegalHold hold = LegalHold::unset;
  /// A file client made the version, and nobody has asked for its lock: as long as its session of
  /// writing lasts (hold_table.h), its bytes are still to come. It cannot be removed.
  bool writing = false;
  bool empty() const { return retention == Retention{} && hold == LegalHold::unset; }
  bool operator==(const ObjectLock&) const = default;
};

/// Of a bucket. Once it is enabled it is for ever, and so is versioning.
struct BucketLock {
  bool enabled = false;
  /// What versions get that come without a retention; none: nothing. With a mode one of the two
  /// lengths is not 0.
  RetentionMode mode = RetentionMode::none;
  std::uint32_t days = 0, years = 0;
  bool operator==(const BucketLock&) const = default;
};
inline constexpr std::uint32_t kMaxRetentionDays = 36'500, kMaxRetentionYears = 100;
/// Within its bounds.
bool is_sound(const BucketLock& lock);

/// The time that a retention ends by, in seconds: never ahead of what the store believes.
std::int64_t lock_time(const Clock& clock);

/// The version stays: `now` is lock_time().
bool is_locked(const ObjectLock& lock, std::int64_t now);
/// The version may go, or its lock be lessened; `bypass`: governance does not count.
bool is_removable(const ObjectLock& lock, std::int64_t now, bool bypass);

/// What a client asks for. Absent: it stays as it is.
struct LockChange {
  std::optional<Retention> retention{};  ///< without a mode: none any more
  std::optional<bool> hold{};
  bool bypass_governance = false;
};
/// The lock afterwards. object_locked if the retention that there is does not allow it: it may
/// become longer, and nothing else.
Result<ObjectLock> changed_lock(const ObjectLock& lock, const LockChange& change, std::int64_t now);

/// The retention that the bucket gives what comes at this moment (wall clock, nanoseconds).
Retention default_retention(const BucketLock& bucket, std::int64_t wall_ns);
/// What a new version has of what is asked for it. no_object_lock for anything in a bucket without.
Result<ObjectLock> new_lock(const BucketLock& bucket, ObjectLock asked, std::int64_t wall_ns);
/// Of a version that a file client makes.
ObjectLock file_lock(const BucketLock& bucket, std::int64_t wall_ns);
/// With bytes that come later: the retention counts from the last of them, and never lessens.
void extend_file_lock(ObjectLock& lock, const BucketLock& bucket, std::int64_t wall_ns);

/// `lock` is not empty.
std::string encode(const ObjectLock& lock);
Result<ObjectLock> decode_object_lock(std::string_view bytes);

}  // namespace outcrop::ns
