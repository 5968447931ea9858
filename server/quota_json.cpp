#include "server/quota_json.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace outcrop::server {
namespace {

namespace json = boost::json;

json::value number_or_null(const std::optional<std::uint64_t>& n) {
  return n ? json::value(*n) : json::value();
}

Result<std::optional<std::uint64_t>> parse_limit(const json::value& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  if (value.is_uint64()) {
    return std::optional(value.get_uint64());
  }
  if (value.is_int64() && value.get_int64() >= 0) {
    return std::optional(static_cast<std::uint64_t>(value.get_int64()));
  }
  return fail(Errc::invalid_argument, "a limit is a whole number, or null for none");
}

template <class AnyUsage>
json::object object_of(const AnyUsage& usage) {
  if (!usage.counted) {
    return {{"bytes", nullptr}, {"objects", nullptr}, {"reserved_bytes", usage.reserved}};
  }
  return {{"bytes", usage.used.bytes},
          {"objects", usage.used.objects},
          {"reserved_bytes", usage.reserved}};
}

template <class AnyUsage>
std::optional<admin::UsageSample> sample_of(std::string name, const AnyUsage& usage) {
  const auto positive = [](std::int64_t n) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0));
  };
  if (!usage.counted) {
    return std::nullopt;
  }
  return admin::UsageSample{.name = std::move(name),
                            .bytes = positive(usage.used.bytes),
                            .objects = positive(usage.used.objects),
                            .reserved_bytes = usage.reserved,
                            .quota_bytes = usage.limits.bytes,
                            .quota_objects = usage.limits.objects};
}

}  // namespace

json::value quota_json(const ns::QuotaLimits& limits) {
  if (limits.empty()) {
    return {};
  }
  return json::object{{"bytes", number_or_null(limits.bytes)},
                      {"objects", number_or_null(limits.objects)}};
}

Result<ns::QuotaLimits> parse_quota(const json::value& value) {
  ns::QuotaLimits out;
  if (value.is_null()) {
    return out;
  }
  const json::object* const o = value.if_object();
  if (o == nullptr) {
    return fail(Errc::invalid_argument, R"("quota": expected {"bytes": N, "objects": N} or null)");
  }
  for (const auto& [name, limit] : *o) {
    if (name == "bytes") {
      TRY(out.bytes, parse_limit(limit));
    } else if (name == "objects") {
      TRY(out.objects, parse_limit(limit));
    } else {
      return fail(Errc::invalid_argument, R"("quota" has "bytes" and "objects" only)");
    }
  }
  return out;
}

json::object usage_json(const ns::BucketUsage& usage) { return object_of(usage); }
json::object usage_json(const ns::GroupUsage& usage) { return object_of(usage); }

std::optional<admin::UsageSample> usage_sample(std::string name, const ns::BucketUsage& usage) {
  return sample_of(std::move(name), usage);
}
std::optional<admin::UsageSample> usage_sample(std::string name, const ns::GroupUsage& usage) {
  return sample_of(std::move(name), usage);
}

}  // namespace outcrop::server
