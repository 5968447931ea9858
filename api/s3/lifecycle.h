// Lifecycle rules of a bucket: which objects go when, and which uploads are given up. Pure; what
// carries them out is lifecycle_job.h.
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
  std::optional<std::uint64_t> abort_days;  ///< after an upload was begun
  bool expires() const { return days || date; }
  bool operator==(const LifecycleRule&) const = default;
};
using LifecycleRules = std::vector<LifecycleRule>;

/// MalformedXML, InvalidArgument, InvalidRequest as AWS; NotImplemented for transitions and what
/// is about versions.
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

/// x-amz-expiration: expiry-date="...", rule-id="...".
std::string expiration_header(const Expiration& expiration);

}  // namespace outcrop::s3
