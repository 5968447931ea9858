// Health, metrics text, and counting by operation.
#include <gtest/gtest.h>

#include <thread>

#include "api/admin/handler.h"
#include "api/admin/metrics.h"
#include "storage/base/async.h"
#include "storage/base/worker.h"

namespace outcrop::admin {
namespace {

Task<http::Response> call(const http::Handler& handler, http::Request& request) {
  co_return co_await handler(request);
}

http::Response get(const AdminSources& sources,
                   const std::string& target,
                   const std::string& method = "GET") {
  http::Request request;
  request.method = method;
  request.target = target;
  const http::Handler handler = make_handler(sources);
  return std::move(run_sync(call(handler, request)).value());
}

std::string body(const http::Response& r) { return std::get<std::string>(r.body); }

TEST(Admin, Health) {
  std::vector<Check> checks = {{.name = "storage", .ok = true, .reason = ""}};
  const AdminSources sources = {.checks = [&] { return checks; }, .metrics = [] { return "m"; }};
  EXPECT_EQ(get(sources, "/health/live").status, 200);
  const http::Response fine = get(sources, "/health/ready?verbose");
  EXPECT_EQ(fine.status, 200);
  EXPECT_EQ(body(fine),
            "{\"ready\":true,\"checks\":[{\"name\":\"storage\",\"ok\":true,\"reason\":\"\"}]}\n");
  checks.push_back({.name = "drives", .ok = false, .reason = "3 \"of\" 6\n"});
  const http::Response bad = get(sources, "/health/ready");
  EXPECT_EQ(bad.status, 503);
  EXPECT_NE(
      body(bad).find("{\"name\":\"drives\",\"ok\":false,\"reason\":\"3 \\\"of\\\" 6\\u000a\"}"),
      std::string::npos);
  EXPECT_EQ(get(sources, "/health/live", "POST").status, 405);
  EXPECT_EQ(get(sources, "/").status, 404);
  EXPECT_EQ(body(get(sources, "/metrics")), "m");
}

TEST(Admin, BucketsAreForThoseWithATokenOnly) {
  std::uint8_t scopes = kScopeRead;
  AdminSources sources = {.checks = [] { return std::vector<Check>(); },
                          .metrics = [] { return "m\n"; }};
  sources.v1.find_caller = [&](std::string_view token) {
    return token == "good" ? std::optional(Caller{.id = "t", .scopes = scopes}) : std::nullopt;
  };
  const auto samples = []() -> Task<std::vector<UsageSample>> {
    co_return std::vector{UsageSample{.name = "secret", .bytes = 5}};
  };
  sources.v1.buckets.samples = samples;
  const auto page = [&](const std::string& token) {
    http::Request request;
    request.method = "GET";
    request.target = "/metrics";
    if (!token.empty()) {
      request.headers.push_back({"authorization", "Bearer " + token});
    }
    const http::Handler handler = make_handler(sources);
    return body(run_sync(call(handler, request)).value());
  };
  EXPECT_EQ(page(""), "m\n");
  EXPECT_EQ(page("bad"), "m\n");
  EXPECT_NE(page("good").find("outcrop_bucket_bytes{bucket=\"secret\"} 5\n"), std::string::npos);
  scopes = kScopeFull;
  EXPECT_NE(page("good").find("secret"), std::string::npos);
  scopes = kScopeExports;
  EXPECT_EQ(page("good"), "m\n");
}

TEST(Admin, BucketMetricsAreBounded) {
  std::vector<UsageSample> buckets;
  for (std::size_t i = 0; i < kMostBucketMetrics + 5; ++i) {
    buckets.push_back({.name = "b" + std::to_string(i), .bytes = i});
  }
  buckets.push_back({.name = "a\"\\", .quota_bytes = 7, .quota_objects = 9});
  const std::string text = render_bucket_metrics(buckets);
  const auto has = [&](const std::string& line) { return text.contains("\n" + line + "\n"); };
  EXPECT_TRUE(has("outcrop_buckets 1006"));
  EXPECT_TRUE(has(R"(outcrop_bucket_quota_bytes{bucket="a\"\\"} 7)")) << text.substr(0, 500);
  EXPECT_TRUE(has(R"(outcrop_bucket_quota_objects{bucket="a\"\\"} 9)"));
  EXPECT_TRUE(has(R"(outcrop_bucket_bytes{bucket="b1004"} 1004)"));
  EXPECT_TRUE(has(R"(outcrop_bucket_bytes{bucket="b6"} 6)"));
  EXPECT_FALSE(has(R"(outcrop_bucket_bytes{bucket="b5"} 5)"));
}

TEST(Admin, RequestsAreCountedPerWorkerAndAddedUp) {
  RequestMetrics metrics(2, {"unknown", "GetObject", "PutObject"});
  const auto work = [&metrics](unsigned worker) {
    set_worker_index(worker);
    metrics.record(1, 200, 0, 4096, 90'000);
    metrics.record(1, 404, 0, 200, 100'001);
    metrics.record(1, 418, 0, 0, 20'000'000'000);
    metrics.record(99, 200, 0, 0, 1);
  };
  std::thread a(work, 0), b(work, 1);
  a.join();
  b.join();
  const std::vector<OperationTotals> totals = metrics.totals();
  ASSERT_EQ(totals.size(), 1u);
  EXPECT_EQ(totals[0].bytes_out, 2 * 4296u);
  EXPECT_EQ(totals[0].latency.front(), 2u);
  EXPECT_EQ(totals[0].latency[1], 2u);
  EXPECT_EQ(totals[0].latency.back(), 2u);
  const std::string text = render_metrics(totals, {});
  EXPECT_NE(text.find("outcrop_requests_total{operation=\"GetObject\",status=\"200\"} 2"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("outcrop_requests_total{operation=\"GetObject\",status=\"4xx\"} 2"),
            std::string::npos);
  EXPECT_NE(
      text.find("outcrop_request_duration_seconds_bucket{operation=\"GetObject\",le=\"10\"} 4"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find("outcrop_request_duration_seconds_bucket{operation=\"GetObject\",le=\"+Inf\"} 6"),
      std::string::npos)
      << text;
}

TEST(Admin, MetricsOfTheStore) {
  Sample sample;
  sample.store.emplace();
  sample.store->writable = true;
  DriveSample drive;
  drive.slot = 3;
  drive.path = "/mnt/\"d\"";
  drive.live = true;
  drive.read_ns = 1'500'000'000;
  sample.store->drives.push_back(drive);
  sample.store->commits = 6;
  sample.store->commit_transactions = 11;
  sample.store->commit_sizes = {3, 2, 1};  // of 1, of 2-3, of 4-7
  const std::string text = render_metrics({}, sample);
  EXPECT_NE(text.find("outcrop_commit_size_bucket{le=\"3\"} 5"), std::string::npos) << text;
  EXPECT_NE(text.find("outcrop_commit_size_sum 11"), std::string::npos) << text;
  EXPECT_NE(text.find("outcrop_drive_live{slot=\"3\",drive=\"/mnt/\\\"d\\\"\"} 1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("op=\"read\"} 1.5"), std::string::npos) << text;
  EXPECT_NE(text.find("outcrop_store_writable 1"), std::string::npos);
  // One HELP and TYPE line per family, or Prometheus refuses the page.
  const std::size_t first = text.find("# TYPE outcrop_drive_ops_total");
  EXPECT_EQ(text.find("# TYPE outcrop_drive_ops_total", first + 1), std::string::npos);
}

}  // namespace
}  // namespace outcrop::admin
