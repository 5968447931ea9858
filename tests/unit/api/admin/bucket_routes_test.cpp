// /v1/buckets: who gets in, what is asked of the server, how its errors look.
#include "api/admin/bucket_routes.h"

#include "tests/unit/api/admin/route_fixture.h"

namespace outcrop::admin {
namespace {

class BucketRoutes : public test::RouteTest {
 protected:
  void serve(V1Sources& sources) override {
    sources.buckets = {
        .list = [this] { return said("list"); },
        .show = [this](std::string name) { return said("show " + name); },
        .change = [this](std::string name,
                         std::string json) { return said("change " + name + " " + json); }};
  }
};

TEST_F(BucketRoutes, WhatIsAsked) {
  EXPECT_EQ(ask("GET", "/v1/buckets").status, 200);
  EXPECT_EQ(asked, "list");
  EXPECT_EQ(ask("PATCH", "/v1/buckets/my%2Ebucket", R"({"etag":"fast"})").status, 200);
  EXPECT_EQ(asked, R"(change my.bucket {"etag":"fast"})");
  EXPECT_EQ(ask("GET", "/v1/buckets/a").status, 200);
  EXPECT_EQ(asked, "show a");
  asked.clear();
  for (const char* bad : {"/v1/buckets/", "/v1/buckets/a/b", "/v1/buckets/%4"}) {
    EXPECT_EQ(ask("PATCH", bad, "{}").status, 400) << bad;
    EXPECT_EQ(ask("GET", bad).status, 400) << bad;
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
    EXPECT_EQ(ask("GET", "/v1/buckets/a").status, 403);
    EXPECT_EQ(ask("PATCH", "/v1/buckets/a", "{}").status, 403);
  }
  EXPECT_EQ(asked, "");
}

}  // namespace
}  // namespace outcrop::admin
