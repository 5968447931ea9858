// The reference namespace: what buckets hold and may hold, counted each time.
#include "tests/support/reference_namespace.h"

namespace outcrop::testing {
namespace {

void add(ns::Usage& sum, std::uint64_t bytes, std::int64_t objects) {
  sum.bytes += static_cast<std::int64_t>(bytes);
  sum.objects += objects;
}

bool exceeds(const std::optional<std::uint64_t>& limit, std::int64_t used, std::int64_t more) {
  return limit && more > 0 && used + more > static_cast<std::int64_t>(*limit);
}

}  // namespace

ns::Usage ReferenceNamespace::usage_of(const Bucket& in) {
  ns::Usage sum;
  for (const auto& [key, object] : in.objects) {
    add(sum, object.info.size, 1);
  }
  for (const auto& [key, versions] : in.past) {
    for (const Past& past : versions) {
      if (!past.marker) {
        add(sum, past.object.info.size, 1);
      }
    }
  }
  for (const auto& [id, upload] : in.uploads) {
    for (const auto& [number, part] : upload.parts) {
      add(sum, part.info.size, 0);
    }
  }
  return sum;
}

Result<void> ReferenceNamespace::check_room(const Bucket& in, const ns::Usage& more) {
  const ns::Usage used = usage_of(in);
  if (exceeds(in.limits.bytes, used.bytes, more.bytes)) {
    return fail(Errc::quota_exceeded);
  }
  return exceeds(in.limits.objects, used.objects, more.objects)
             ? fail(Errc::quota_exceeded, std::string(ns::kObjectsQuota))
             : ok();
}

ns::Usage ReferenceNamespace::growth(const Bucket& in, std::string_view key, std::uint64_t size) {
  ns::Usage more{static_cast<std::int64_t>(size), 1};
  const auto there = in.objects.find(key);
  if (in.info.versioning == ns::Versioning::off && there != in.objects.end()) {
    more = {more.bytes - static_cast<std::int64_t>(there->second.info.size), 0};
  }
  return more;
}

ns::Usage ReferenceNamespace::growth(const Upload& upload,
                                     std::uint32_t number,
                                     std::uint64_t size) {
  ns::Usage more{static_cast<std::int64_t>(size), 0};
  if (const auto there = upload.parts.find(number); there != upload.parts.end()) {
    more.bytes -= static_cast<std::int64_t>(there->second.info.size);
  }
  return more;
}

Task<ns::BucketUsage> ReferenceNamespace::get_usage(std::string_view name) {
  CO_TRY(const Bucket* const in, bucket(name));
  co_return ns::BucketUsage{
      .name = in->info.name, .used = usage_of(*in), .reserved = 0, .limits = in->limits};
}

Task<std::vector<ns::BucketUsage>> ReferenceNamespace::list_usage() {
  std::vector<ns::BucketUsage> out;
  for (const auto& [name, in] : x_buckets) {
    out.push_back({.name = name, .used = usage_of(in), .reserved = 0, .limits = in.limits});
  }
  co_return out;
}

Task<> ReferenceNamespace::put_limits(std::string_view name, ns::QuotaLimits limits) {
  CO_TRY(Bucket* const in, bucket(name));
  in->limits = limits;
  co_return ok();
}

}  // namespace outcrop::testing
