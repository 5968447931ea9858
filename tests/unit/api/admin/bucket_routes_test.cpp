// /v1/buckets: who gets in, what is asked of the server, how its errors look.
#include "api/admin/bucket_routes.h"

#include <gtest/gtest.h>

#include "api/admin/handler.h"
#include "storage/base/async.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin {
namespace {

class BucketRoutes : public ::testing::Test {
 protected:
  http::Response ask(const std::string& method,
                     const std::string& target,
                     const std::string& body = {}) {
    test::Body reader(body);
    http::Request request;
    request.method = method;
    request.target = target;
    request.body = &reader;
    request.headers.push_back({"authorization", "Bearer t"});
    AdminSources sources = {.checks = [] { return std::vector<Check>(); },
                            .metrics = [] { return std::string(); }};
    sources.v1.find_caller = [this](std::string_view) {
      return std::optional(Caller{.id = "t", .scopes = scopes});
    };
    sources.v1.buckets = {
        .list = [this] { return said("list"); },
        .change = [this](std::string name,
                         std::string json) { return said("change " + name + " " + json); }};
    const http::Handler handler = make_handler(std::move(sources));
    const auto run = [&]() -> Task<http::Response> { co_return co_await handler(request); };
    return std::move(run_sync(run()).value());
  }
  Task<std::string> said(std::string what) {
    asked = std::move(what);
    if (refuse) {
      co_return fail(*refuse, "because");
    }
    co_return "{}";
  }

  std::uint8_t scopes = kScopeFull;
  std::string asked;
  std::optional<Errc> refuse;
};

TEST_F(BucketRoutes, WhatIsAsked) {
  EXPECT_EQ(ask("GET", "/v1/buckets").status, 200);
  EXPECT_EQ(asked, "list");
  EXPECT_EQ(ask("PATCH", "/v1/buckets/my%2Ebucket", R"({"etag":"fast"})").status, 200);
  EXPECT_EQ(asked, R"(change my.bucket {"etag":"fast"})");
  asked.clear();
  for (const char* bad : {"/v1/buckets/", "/v1/buckets/a/b", "/v1/buckets/%4"}) {
    EXPECT_EQ(ask("PATCH", bad, "{}").status, 400) << bad;
  }
  EXPECT_EQ(ask("DELETE", "/v1/buckets/a").status, 405);
  EXPECT_EQ(ask("POST", "/v1/buckets").status, 405);
  EXPECT_EQ(asked, "");
}

TEST_F(BucketRoutes, ErrorsAndScopes) {
  refuse = Errc::not_found;
  EXPECT_EQ(ask("PATCH", "/v1/buckets/a", "{}").status, 404);
  refuse = Errc::invalid_argument;
  EXPECT_EQ(ask("PATCH", "/v1/buckets/a", "{}").status, 400);
  refuse = Errc::unavailable;
  EXPECT_EQ(ask("GET", "/v1/buckets").status, 503);
  asked.clear();
  for (const std::uint8_t scope : {kScopeRead, kScopeExports, kScopeDrives}) {
    scopes = scope;
    EXPECT_EQ(ask("GET", "/v1/buckets").status, 403);
    EXPECT_EQ(ask("PATCH", "/v1/buckets/a", "{}").status, 403);
  }
  EXPECT_EQ(asked, "");
}

}  // namespace
}  // namespace outcrop::admin
