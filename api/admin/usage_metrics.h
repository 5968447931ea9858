// What buckets and accounts hold and may hold, as a part of /metrics that is for callers with a
// token only: names of buckets are in it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace outcrop::admin {

struct UsageSample {
  std::string name;  ///< of the bucket; the account's number
  std::uint64_t bytes = 0, objects = 0, reserved_bytes = 0;
  std::optional<std::uint64_t> quota_bytes{}, quota_objects{};
};

/// Buckets on the page: those with a limit before the others, and then the largest.
inline constexpr std::size_t kMostBucketMetrics = 1000;

std::string render_bucket_metrics(std::vector<UsageSample> buckets);
/// All of them: there are few.
std::string render_account_metrics(const std::vector<UsageSample>& accounts);

}  // namespace outcrop::admin
