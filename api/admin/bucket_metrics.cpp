#include "api/admin/bucket_metrics.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace outcrop::admin {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out;
}

void add_head(std::string& out, std::string_view name, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help);
  out.append("\n# TYPE ").append(name).append(" gauge\n");
}

/// `value` gives a number, or nothing for a bucket that has none.
template <class Value>
void add_family(std::string& out,
                std::string_view name,
                std::string_view help,
                const std::vector<BucketSample>& buckets,
                Value value) {
  add_head(out, name, help);
  for (const BucketSample& bucket : buckets) {
    if (const std::optional<std::uint64_t> n = value(bucket)) {
      out.append(name).append("{bucket=\"").append(escaped(bucket.name)).append("\"} ");
      out.append(std::to_string(*n)).append("\n");
    }
  }
}

}  // namespace

std::string render_bucket_metrics(std::vector<BucketSample> buckets) {
  std::string out;
  add_head(out, "outcrop_buckets", "Buckets, on this page or not");
  out.append("outcrop_buckets ").append(std::to_string(buckets.size())).append("\n");
  const auto rank = [](const BucketSample& b) {
    const bool limited = b.quota_bytes || b.quota_objects;
    return std::tuple(!limited, ~b.bytes, std::string_view(b.name));
  };
  const std::size_t shown = std::min(buckets.size(), kMostBucketMetrics);
  std::ranges::partial_sort(buckets, buckets.begin() + static_cast<std::ptrdiff_t>(shown), {},
                            rank);
  buckets.resize(shown);
  add_family(out, "outcrop_bucket_bytes", "Payload that a bucket holds", buckets,
             [](const BucketSample& b) { return std::optional(b.bytes); });
  add_family(out, "outcrop_bucket_objects", "Objects and versions that a bucket holds", buckets,
             [](const BucketSample& b) { return std::optional(b.objects); });
  add_family(out, "outcrop_bucket_reserved_bytes", "Written by file clients and not stored yet",
             buckets, [](const BucketSample& b) { return std::optional(b.reserved_bytes); });
  add_family(out, "outcrop_bucket_quota_bytes", "Limit of bytes", buckets,
             [](const BucketSample& b) { return b.quota_bytes; });
  add_family(out, "outcrop_bucket_quota_objects", "Limit of objects", buckets,
             [](const BucketSample& b) { return b.quota_objects; });
  return out;
}

}  // namespace outcrop::admin
