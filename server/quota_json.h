// Quotas, and what buckets and accounts hold, as JSON of the admin API (docs/admin-api.yaml).
#pragma once
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>

#include "api/admin/usage_metrics.h"
#include "storage/base/result.h"
#include "storage/ns/quota_groups.h"

namespace outcrop::server {

/// Null if there is no limit.
boost::json::value quota_json(const ns::QuotaLimits& limits);
/// {"bytes": 1000, "objects": null}; null, or nothing in it: no limit. invalid_argument.
Result<ns::QuotaLimits> parse_quota(const boost::json::value& value);
/// "bytes" and "objects" are null while nobody knows them.
boost::json::object usage_json(const ns::BucketUsage& usage);
boost::json::object usage_json(const ns::GroupUsage& usage);
/// For /metrics; nothing while nobody knows it.
std::optional<admin::UsageSample> usage_sample(std::string name, const ns::BucketUsage& usage);
std::optional<admin::UsageSample> usage_sample(std::string name, const ns::GroupUsage& usage);

}  // namespace outcrop::server
