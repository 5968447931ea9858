#include "api/s3/lifecycle_job.h"

#include <algorithm>
#include <functional>

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
bool is_gone(Errc code) { return code == Errc::no_such_key || code == Errc::key_deleted; }

/// It is not the one any more that was looked at.
bool is_other(Errc code) {
  return is_gone(code) || code == Errc::precondition_failed || code == Errc::conflict;
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
                          std::string_view rule) const {
  if (x_parts.audit == nullptr) {
    return;
  }
  const std::string resource = std::string(bucket).append("/").append(key);
  const std::string reason = "lifecycle rule " + std::string(rule);
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
