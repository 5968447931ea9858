// /v1/buckets of the admin API (docs/admin-api.yaml): what buckets hold and may hold, and settings
// that no S3 request has.
// Behind v1.h.
#pragma once
#include <functional>
#include <string>

#include "api/admin/usage_metrics.h"
#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kBucketsRoute = "/v1/buckets";

/// The functions may suspend; they take and give JSON text. Errors: invalid_argument (detail goes
/// to the client), not_found, conflict.
struct BucketSource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string name)> show;
  std::function<Task<std::string>(std::string name, std::string json)>
      change;                                                 ///< gives the bucket
  std::function<Task<std::vector<UsageSample>>()> samples{};  ///< for /metrics
};

Async<http::Response> serve_buckets(const BucketSource& source, http::Request& request);

}  // namespace outcrop::admin
