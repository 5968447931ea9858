#include "api/s3/lifecycle.h"

#include <algorithm>
#include <limits>

#include "api/s3/headers.h"
#include "auth/uri.h"

namespace outcrop::s3 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

bool has_tags(const LifecycleRule& rule, const LifecycleObject& object) {
  return std::ranges::all_of(rule.filter.tags, [&](const auto& tag) {
    return object.tags != nullptr && std::ranges::find(*object.tags, tag) != object.tags->end();
  });
}

/// All of the filter but its tags.
bool selects(const LifecycleRule& rule, const LifecycleObject& object) {
  const LifecycleFilter& f = rule.filter;
  return rule.enabled && object.key.starts_with(f.prefix) &&
         (!f.larger || object.size > *f.larger) && (!f.smaller || object.size < *f.smaller);
}

std::int64_t end_of(const LifecycleRule& rule,
                    const LifecycleObject& object,
                    std::int64_t day_seconds) {
  return rule.date ? *rule.date : due_seconds(object.mtime_ns, *rule.days, day_seconds);
}

/// All of the filter but its tags, the versions that stay, and the time.
bool ends(const LifecycleRule& rule,
          const OldVersion& version,
          std::int64_t now_seconds,
          std::int64_t day_seconds) {
  const LifecycleFilter& f = rule.filter;
  return rule.noncurrent_days && selects(rule, version.object) &&
         !(version.marker && (f.larger || f.smaller)) &&
         version.newer >= rule.newer_versions.value_or(0) &&
         due_seconds(version.since_ns, *rule.noncurrent_days, day_seconds) <= now_seconds;
}

const LifecycleRule* pointer(const LifecycleRules& rules, LifecycleRules::const_iterator rule) {
  return rule == rules.end() ? nullptr : &*rule;
}

}  // namespace

std::int64_t due_seconds(std::int64_t since_ns, std::uint64_t days, std::int64_t day_seconds) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 4;
  const std::int64_t since = since_ns / kNsPerSecond;
  const auto count = static_cast<std::int64_t>(std::min(days, kMaxLifecycleDays));
  const std::int64_t due = std::min(since + count * day_seconds, kNever);
  if (day_seconds != kSecondsPerDay) {
    return due;
  }
  return (due + kSecondsPerDay - 1) / kSecondsPerDay * kSecondsPerDay;
}

std::optional<Expiration> expiration_of(const LifecycleRules& rules,
                                        const LifecycleObject& object,
                                        std::int64_t day_seconds) {
  std::optional<Expiration> first;
  for (const LifecycleRule& rule : rules) {
    if (!rule.expires() || !selects(rule, object) || !has_tags(rule, object)) {
      continue;
    }
    const std::int64_t end = end_of(rule, object, day_seconds);
    if (!first || end < first->at_seconds) {
      first = Expiration{end, &rule};
    }
  }
  return first;
}

bool needs_tags(const LifecycleRules& rules,
                const LifecycleObject& object,
                std::int64_t now_seconds,
                std::int64_t day_seconds) {
  return std::ranges::any_of(rules, [&](const LifecycleRule& rule) {
    return rule.expires() && !rule.filter.tags.empty() && selects(rule, object) &&
           end_of(rule, object, day_seconds) <= now_seconds;
  });
}

const LifecycleRule* rule_for_version(const LifecycleRules& rules,
                                      const OldVersion& version,
                                      std::int64_t now_seconds,
                                      std::int64_t day_seconds) {
  return pointer(rules, std::ranges::find_if(rules, [&](const LifecycleRule& rule) {
                   return ends(rule, version, now_seconds, day_seconds) &&
                          has_tags(rule, version.object);
                 }));
}

bool needs_tags(const LifecycleRules& rules,
                const OldVersion& version,
                std::int64_t now_seconds,
                std::int64_t day_seconds) {
  return !version.marker && std::ranges::any_of(rules, [&](const LifecycleRule& rule) {
    return !rule.filter.tags.empty() && ends(rule, version, now_seconds, day_seconds);
  });
}

const LifecycleRule* rule_for_marker(const LifecycleRules& rules,
                                     std::string_view key,
                                     std::int64_t mtime_ns,
                                     std::int64_t now_seconds,
                                     std::int64_t day_seconds) {
  const LifecycleObject marker{key, 0, mtime_ns, nullptr};
  return pointer(rules, std::ranges::find_if(rules, [&](const LifecycleRule& rule) {
                   const LifecycleFilter& f = rule.filter;
                   return selects(rule, marker) && f.tags.empty() && !f.larger && !f.smaller &&
                          (rule.expired_marker.value_or(false) ||
                           (rule.expires() && end_of(rule, marker, day_seconds) <= now_seconds));
                 }));
}

std::string expiration_header(const Expiration& expiration) {
  std::string id;
  auth::uri_encode(expiration.rule->id, auth::Slash::encode, id);
  // Dates in headers have four digits for the year.
  constexpr std::int64_t kLast = 253'402'300'799;
  const std::int64_t at = std::clamp<std::int64_t>(expiration.at_seconds, 0, kLast);
  return "expiry-date=\"" + format_http_seconds(at) + "\", rule-id=\"" + id + "\"";
}

}  // namespace outcrop::s3
