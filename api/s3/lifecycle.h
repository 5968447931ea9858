// Lifecycle rules of a bucket: which objects and versions go when, and which uploads are given up.
// Pure; what carries them out is lifecycle_job.h.
// Source: Amazon S3 User Guide, "Lifecycle configuration elements", "Expiring objects".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/error.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

inline constexpr std::size_t kMaxLifecycleRules = 1000;
inline constexpr std::size_t kMaxLifecycleId = 255;
inline constexpr std::uint64_t kMaxLifecycleDays = 2'147'483'647;
inline constexpr std::uint64_t kMaxNewerVersions = 100;
inline constexpr std::int64_t kSecondsPerDay = 86'400;

struct LifecycleFilter {
  std::string prefix;
  ns::StringPairs tags;  ///< the object must have them all
  std::optional<std::uint64_t> larger, smaller;
  bool operator==(const LifecycleFilter&) const = default;
};

struct LifecycleRule {
  std::string id;
  bool enabled = false;
  LifecycleFilter filter;
  bool old_form = false;              ///< the prefix stands in the rule itself, without a Filter
  std::optional<std::uint64_t> days;  ///< after the object was made
  std::optional<std::int64_t> date;   ///< seconds since 1970, a midnight
  std::optional<std::uint64_t> abort_days;       ///< after an upload was begun
  std::optional<std::uint64_t> noncurrent_days;  ///< after a version ceased to be current
  std::optional<std::uint64_t> newer_versions;   ///< with these days: so many newer ones stay
  std::optional<bool> expired_marker;            ///< delete markers that nothing is below go
  bool expires() const { return days || date; }
  bool about_versions() const { return noncurrent_days || expired_marker || expires(); }
  bool operator==(const LifecycleRule&) const = default;
};
using LifecycleRules = std::vector<LifecycleRule>;

/// MalformedXML, InvalidArgument, InvalidRequest as AWS; NotImplemented for transitions.
Outcome<LifecycleRules> parse_lifecycle(std::string text);
std::string lifecycle_document(const LifecycleRules& rules);

/// An object as rules see it; `tags` null: not looked at, a rule that asks for some does not match.
struct LifecycleObject {
  std::string_view key;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  const ns::StringPairs* tags = nullptr;
};

/// When a rule's age is reached: so many days after a moment, and then the next midnight. A day
/// that is not a day (tests) has no midnights.
std::int64_t due_seconds(std::int64_t since_ns, std::uint64_t days, std::int64_t day_seconds);

struct Expiration {
  std::int64_t at_seconds = 0;
  const LifecycleRule* rule = nullptr;
};
/// The first end that an enabled rule gives the object; empty: none.
std::optional<Expiration> expiration_of(const LifecycleRules& rules,
                                        const LifecycleObject& object,
                                        std::int64_t day_seconds);
/// Whether an enabled rule that would end the object by then asks for tags.
bool needs_tags(const LifecycleRules& rules,
                const LifecycleObject& object,
                std::int64_t now_seconds,
                std::int64_t day_seconds);

/// A version that is not current, or a delete marker that is not the newest.
struct OldVersion {
  LifecycleObject object{};   ///< of a marker the key only; its mtime does not count
  std::int64_t since_ns = 0;  ///< when it ceased to be current
  std::uint64_t newer = 0;    ///< how many of its key are newer and not current, either
  bool marker = false;        ///< has no size and no tags: rules that ask for some do not match
};
/// The rule by which it goes now; null: none.
const LifecycleRule* rule_for_version(const LifecycleRules& rules,
                                      const OldVersion& version,
                                      std::int64_t now_seconds,
                                      std::int64_t day_seconds);
/// Whether a rule that would end it now asks for tags.
bool needs_tags(const LifecycleRules& rules,
                const OldVersion& version,
                std::int64_t now_seconds,
                std::int64_t day_seconds);
/// The rule by which a delete marker goes that is all that is left of its key; null: none. Rules
/// with days or a date are such, too.
const LifecycleRule* rule_for_marker(const LifecycleRules& rules,
                                     std::string_view key,
                                     std::int64_t mtime_ns,
                                     std::int64_t now_seconds,
                                     std::int64_t day_seconds);

/// x-amz-expiration: expiry-date="...", rule-id="...".
std::string expiration_header(const Expiration& expiration);

}  // namespace outcrop::s3
