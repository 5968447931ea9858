#include "server/quota_json.h"

#include <string_view>

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

json::object usage_json(const ns::BucketUsage& usage) {
  if (!usage.counted) {
    return {{"bytes", nullptr}, {"objects", nullptr}, {"reserved_bytes", usage.reserved}};
  }
  return {{"bytes", usage.used.bytes},
          {"objects", usage.used.objects},
          {"reserved_bytes", usage.reserved}};
}

}  // namespace outcrop::server
