#include "api/admin/usage_metrics.h"

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

/// "outcrop_KIND_NAME{KIND="..."} N" for each; `value` gives a number, or nothing where there is
/// none.
template <class Value>
void add_family(std::string& out,
                std::string_view kind,
                std::string_view name,
                std::string_view help,
                const std::vector<UsageSample>& samples,
                Value value) {
  const std::string full = "outcrop_" + std::string(kind) + "_" + std::string(name);
  add_head(out, full, help);
  for (const UsageSample& sample : samples) {
    if (const std::optional<std::uint64_t> n = value(sample)) {
      out.append(full).append("{").append(kind).append("=\"").append(escaped(sample.name));
      out.append("\"} ").append(std::to_string(*n)).append("\n");
    }
  }
}

void add_families(std::string& out,
                  std::string_view kind,
                  const std::vector<UsageSample>& samples) {
  const auto a = [&](std::string_view name, std::string_view help, auto value) {
    add_family(out, kind, name, help, samples, value);
  };
  using Sample = const UsageSample&;
  a("bytes", "Payload that it holds", [](Sample s) { return std::optional(s.bytes); });
  a("objects", "Objects and versions that it holds",
    [](Sample s) { return std::optional(s.objects); });
  a("reserved_bytes", "Written by file clients and not stored yet",
    [](Sample s) { return std::optional(s.reserved_bytes); });
  a("quota_bytes", "Limit of bytes", [](Sample s) { return s.quota_bytes; });
  a("quota_objects", "Limit of objects", [](Sample s) { return s.quota_objects; });
}

}  // namespace

std::string render_bucket_metrics(std::vector<UsageSample> buckets) {
  std::string out;
  add_head(out, "outcrop_buckets", "Buckets, on this page or not");
  out.append("outcrop_buckets ").append(std::to_string(buckets.size())).append("\n");
  const auto rank = [](const UsageSample& b) {
    const bool limited = b.quota_bytes || b.quota_objects;
    return std::tuple(!limited, ~b.bytes, std::string_view(b.name));
  };
  const std::size_t shown = std::min(buckets.size(), kMostBucketMetrics);
  std::ranges::partial_sort(buckets, buckets.begin() + static_cast<std::ptrdiff_t>(shown), {},
                            rank);
  buckets.resize(shown);
  add_families(out, "bucket", buckets);
  return out;
}

std::string render_account_metrics(const std::vector<UsageSample>& accounts) {
  std::string out;
  add_families(out, "account", accounts);
  return out;
}

}  // namespace outcrop::admin
