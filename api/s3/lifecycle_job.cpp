#include "api/s3/lifecycle_job.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "storage/base/log.h"

namespace outcrop::s3 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// What the keys of all enabled rules of a kind start with; empty optional: there is no such rule.
template <class Wanted>
std::optional<std::string> common_prefix(const LifecycleRules& rules, Wanted wanted) {
  std::optional<std::string> out;
  for (const LifecycleRule& rule : rules) {
    if (!rule.enabled || !std::invoke(wanted, rule)) {
      continue;
    }
    const std::string& prefix = rule.filter.prefix;
    if (!out) {
      out = prefix;
      continue;
    }
    const auto differ = std::ranges::mismatch(*out, prefix).in1;
    out->erase(differ, out->end());
  }
  return out;
}

/// Others deleted it meanwhile.
bool is_gone(Errc code) {
  return code == Errc::no_such_key || code == Errc::key_deleted || code == Errc::no_such_version ||
         code == Errc::delete_marker;
}

/// It is not the one any more that was looked at.
bool is_other(Errc code) {
  return is_gone(code) || code == Errc::precondition_failed || code == Errc::conflict ||
         code == Errc::object_locked;
}

}  // namespace

Result<void> LifecycleJob::check_goes_on(const BucketSettings& bucket) const {
  TRYV(check_stop());
  const BucketSettingsPtr now = x_parts.settings.find(bucket.bucket);
  return now && now->root == bucket.root && now->lifecycle == bucket.lifecycle ? ok()
                                                                               : fail(Errc::stale);
}

void LifecycleJob::record(std::string_view action,
                          std::string_view bucket,
                          std::string_view key,
                          std::string_view rule,
                          std::string_view what) const {
  if (x_parts.audit == nullptr) {
    return;
  }
  const std::string resource = std::string(bucket).append("/").append(key);
  const std::string reason = "lifecycle rule " + std::string(rule).append(what);
  x_parts.audit->record({.protocol = "server",
                         .action = action,
                         .resource = resource,
                         .result = audit::Decision::ok,
                         .status = "ok",
                         .reason = reason});
}

Task<> LifecycleJob::expire(const BucketSettings& bucket, const ns::ListEntry& entry) {
  const LifecycleRules& rules = *bucket.lifecycle;
  const std::int64_t day = x_parts.day_seconds;
  LifecycleObject object{entry.key, entry.size, entry.mtime_ns, nullptr};
  ns::StringPairs tags;
  if (needs_tags(rules, object, now_seconds(), day)) {
    auto info = co_await x_parts.ns.stat(bucket.bucket, entry.key);
    if (!info) {
      co_return is_gone(info.error().code()) ? ok() : fail(std::move(info).error());
    }
    CO_TRYV(check_goes_on(bucket));
    tags = std::move(info->attributes.tags);
    object = {entry.key, info->size, info->mtime_ns, &tags};
  }
  const auto expiration = expiration_of(rules, object, day);
  if (!expiration || expiration->at_seconds > now_seconds()) {
    co_return ok();
  }
  ns::Conditions unchanged;  // what was put since is younger
  unchanged.if_unmodified_since = object.mtime_ns / kNsPerSecond;
  unchanged.must_exist = true;
  if (object.tags != nullptr) {
    unchanged.tags = std::move(tags);
  }
  const auto removed = co_await x_parts.ns.remove(bucket.bucket, entry.key, std::move(unchanged));
  if (!removed) {
    co_return is_other(removed.error().code()) ? ok() : fail(removed.error());
  }
  if (*removed) {
    x_expired.fetch_add(1, std::memory_order_relaxed);
    record("s3:ExpireObject", bucket.bucket, entry.key, expiration->rule->id);
  }
  co_return ok();
}

Task<> LifecycleJob::expire_objects(const BucketSettings& bucket) {
  auto prefix = common_prefix(*bucket.lifecycle, &LifecycleRule::expires);
  if (!prefix) {
    co_return ok();
  }
  ns::ListRequest request;
  request.prefix = *std::move(prefix);
  for (bool more = true; more;) {
    CO_TRY(const ns::ListPage page, co_await x_parts.ns.list(bucket.bucket, request));
    for (const ns::ListEntry& entry : page.entries) {
      CO_TRYV(check_goes_on(bucket));
      CO_TRYV(co_await expire(bucket, entry));
      request.start_after = entry.key;
    }
    more = page.truncated && !page.entries.empty();
  }
  co_return ok();
}

Task<bool> LifecycleJob::remove_version(const BucketSettings& bucket,
                                        const ns::VersionEntry& version,
                                        ns::Conditions unchanged,
                                        const LifecycleRule& rule) {
  const std::string& key = version.entry.key;
  const auto removed = co_await x_parts.ns.remove_version(bucket.bucket, key, version.version_id,
                                                          std::move(unchanged));
  if (!removed) {
    co_return is_other(removed.error().code()) ? Result<bool>(false) : fail(removed.error());
  }
  if (removed->found) {
    x_expired.fetch_add(1, std::memory_order_relaxed);
    record(version.marker ? "s3:ExpireDeleteMarker" : "s3:ExpireObjectVersion", bucket.bucket, key,
           rule.id, ", version " + version.version_id);
  }
  co_return true;
}

Task<std::optional<std::int64_t>> LifecycleJob::when_it_came(const BucketSettings& bucket,
                                                             const ns::VersionEntry& version) {
  if (version.marker) {
    co_return version.entry.mtime_ns;
  }
  const auto info = co_await x_parts.ns.stat(bucket.bucket, version.entry.key, version.version_id);
  if (!info) {
    co_return is_gone(info.error().code()) ? Result<std::optional<std::int64_t>>(std::nullopt)
                                           : fail(info.error());
  }
  co_return info->changed_ns;
}

Task<const LifecycleRule*> LifecycleJob::find_rule(const BucketSettings& bucket,
                                                   const ns::VersionEntry& version,
                                                   OldVersion& old,
                                                   std::optional<ns::StringPairs>& tags) {
  const LifecycleRules& rules = *bucket.lifecycle;
  if (needs_tags(rules, old, now_seconds(), x_parts.day_seconds)) {
    auto info = co_await x_parts.ns.stat(bucket.bucket, version.entry.key, version.version_id);
    if (!info) {
      co_return is_gone(info.error().code()) ? Result<const LifecycleRule*>(nullptr)
                                             : fail(std::move(info).error());
    }
    tags = std::move(info->attributes.tags);
    old.object.tags = &*tags;
  }
  co_return rule_for_version(rules, old, now_seconds(), x_parts.day_seconds);
}

Task<> LifecycleJob::expire_version(const BucketSettings& bucket,
                                    const ns::VersionEntry& version,
                                    KeyVersions& key) {
  const ns::ListEntry& entry = version.entry;
  const std::optional<ns::VersionEntry> newer = std::exchange(key.newer, version);
  if (version.latest) {
    key.marker = version.marker ? std::optional(version) : std::nullopt;
    co_return ok();
  }
  const std::uint64_t above = key.staying++;  // until it is gone
  constexpr std::int64_t kLongAgo = 0;
  OldVersion old{.object = {entry.key, entry.size, entry.mtime_ns, nullptr},
                 .since_ns = version.since_ns.value_or(kLongAgo),
                 .newer = above,
                 .marker = version.marker};
  std::optional<ns::StringPairs> tags;
  CO_TRY(const LifecycleRule* rule, co_await find_rule(bucket, version, old, tags));
  if (rule != nullptr && !version.since_ns) {
    // It ceased to be the newest when the next one came.
    if (!newer) {
      co_return ok();
    }
    CO_TRY(const auto since, co_await when_it_came(bucket, *newer));
    if (!since) {
      co_return ok();
    }
    old.since_ns = *since;
    rule = rule_for_version(*bucket.lifecycle, old, now_seconds(), x_parts.day_seconds);
  }
  if (rule == nullptr) {
    co_return ok();
  }
  CO_TRYV(check_goes_on(bucket));
  ns::Conditions unchanged;
  unchanged.seen = ns::SeenVersion{.number = version.number, .since_ns = version.since_ns};
  unchanged.tags = tags;
  CO_TRY(const bool removed, co_await remove_version(bucket, version, std::move(unchanged), *rule));
  key.staying -= removed ? 1 : 0;
  co_return ok();
}

Task<> LifecycleJob::expire_marker(const BucketSettings& bucket, const KeyVersions& key) {
  if (!key.marker || key.staying > 0) {
    co_return ok();
  }
  const LifecycleRule* const rule = rule_for_marker(
      *bucket.lifecycle, key.key, key.marker->entry.mtime_ns, now_seconds(), x_parts.day_seconds);
  if (rule != nullptr) {
    CO_TRYV(check_goes_on(bucket));
    ns::Conditions unchanged;
    unchanged.seen = ns::SeenVersion{.number = key.marker->number, .alone = true};
    CO_TRYV(co_await remove_version(bucket, *key.marker, std::move(unchanged), *rule));
  }
  co_return ok();
}

Task<> LifecycleJob::expire_versions(const BucketSettings& bucket) {
  auto prefix = common_prefix(*bucket.lifecycle, &LifecycleRule::about_versions);
  if (!prefix) {
    co_return ok();
  }
  CO_TRY(const ns::BucketInfo info, co_await x_parts.ns.get_bucket(bucket.bucket));
  if (info.versioning == ns::Versioning::off) {
    co_return ok();
  }
  ns::VersionListRequest request;
  request.prefix = *std::move(prefix);
  KeyVersions key;
  for (bool more = true; more;) {
    CO_TRY(const ns::VersionPage page, co_await x_parts.ns.list_versions(bucket.bucket, request));
    for (const ns::VersionEntry& version : page.entries) {
      CO_TRYV(check_goes_on(bucket));
      if (version.entry.key != key.key) {
        CO_TRYV(co_await expire_marker(bucket, key));
        key = {.key = version.entry.key};
      }
      CO_TRYV(co_await expire_version(bucket, version, key));
    }
    more = page.truncated && !page.entries.empty();
    request.key_marker = key.key;
    request.version_marker = page.next_version_marker;
  }
  co_return co_await expire_marker(bucket, key);
}

Task<> LifecycleJob::abort_uploads(const BucketSettings& bucket) {
  const auto aborts = [](const LifecycleRule& rule) { return rule.abort_days.has_value(); };
  auto prefix = common_prefix(*bucket.lifecycle, aborts);
  if (!prefix) {
    co_return ok();
  }
  ns::UploadListRequest request;
  request.prefix = *std::move(prefix);
  for (bool more = true; more;) {
    CO_TRY(const ns::UploadList list, co_await x_parts.ns.list_uploads(bucket.bucket, request));
    for (const ns::UploadInfo& upload : list.uploads) {
      CO_TRYV(check_goes_on(bucket));
      const auto rule = std::ranges::find_if(*bucket.lifecycle, [&](const LifecycleRule& r) {
        return r.enabled && r.abort_days && upload.key.starts_with(r.filter.prefix) &&
               due_seconds(upload.created_ns, *r.abort_days, x_parts.day_seconds) <= now_seconds();
      });
      if (rule == bucket.lifecycle->end()) {
        continue;
      }
      const auto done =
          co_await x_parts.ns.abort_upload(bucket.bucket, upload.key, upload.upload_id);
      if (done) {
        x_aborted.fetch_add(1, std::memory_order_relaxed);
        record("s3:AbortMultipartUpload", bucket.bucket, upload.key, rule->id);
      } else if (done.error().code() != Errc::no_such_upload) {
        co_return fail(done.error());
      }
    }
    request.key_marker = list.next_key_marker;
    request.upload_id_marker = list.next_upload_id_marker;
    more = list.truncated;
  }
  co_return ok();
}

Task<> LifecycleJob::serve(const BucketSettings& bucket) {
  CO_TRYV(co_await expire_objects(bucket));
  CO_TRYV(co_await expire_versions(bucket));
  co_return co_await abort_uploads(bucket);
}

Task<> LifecycleJob::pass() {
  const auto all = x_parts.settings.snapshot();
  Result<void> first = ok();
  for (const auto& [name, settings] : *all) {
    if (!settings->lifecycle) {
      continue;
    }
    CO_TRYV(check_stop());
    auto served = co_await serve(*settings);
    if (served || served.error().code() == Errc::no_such_bucket ||
        served.error().code() == Errc::stale) {
      continue;
    }
    if (served.error().code() == Errc::cancelled) {
      co_return served;
    }
    log::warn("lifecycle rules of a bucket could not be carried out",
              {{"bucket", name}, {"error", served.error().describe()}});
    first = first ? std::move(served) : std::move(first);
  }
  co_return first;
}

}  // namespace outcrop::s3
