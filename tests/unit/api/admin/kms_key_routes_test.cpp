// /v1/kms-keys: who gets in, what is asked of the server, how its errors look.
#include "api/admin/kms_key_routes.h"

#include <gtest/gtest.h>

#include "api/admin/handler.h"
#include "storage/base/async.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin {
namespace {

using test::Body;

class KmsKeyRoutes : public ::testing::Test {
 protected:
  http::Response ask(const std::string& method,
                     const std::string& target,
                     const std::string& body = {}) {
    Body reader(body);
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
    sources.v1.kms_keys = {
        .list = [this] { return said("list"); },
        .create = [this](std::string json) { return said("create " + json); },
        .change = [this](std::string id, std::string json) { return said(id + " " + json); },
        .remove = [this](std::string id) { return gone(std::move(id)); }};
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
  Task<> gone(std::string id) {
    CO_TRYV(co_await said("remove " + id));
    co_return ok();
  }

  std::uint8_t scopes = kScopeFull;
  std::string asked;
  std::optional<Errc> refuse;
};

TEST_F(KmsKeyRoutes, WhatIsAsked) {
  EXPECT_EQ(ask("GET", "/v1/kms-keys").status, 200);
  EXPECT_EQ(asked, "list");
  EXPECT_EQ(ask("POST", "/v1/kms-keys", R"({"id":"k"})").status, 201);
  EXPECT_EQ(asked, R"(create {"id":"k"})");
  EXPECT_EQ(ask("PATCH", "/v1/kms-keys/a/b%2fc", R"({"enabled":false})").status, 200);
  EXPECT_EQ(asked, R"(a/b/c {"enabled":false})");
  EXPECT_EQ(ask("DELETE", "/v1/kms-keys/testkey-1").status, 204);
  EXPECT_EQ(asked, "remove testkey-1");
  asked.clear();
  EXPECT_EQ(ask("DELETE", "/v1/kms-keys/").status, 400);
  EXPECT_EQ(ask("PATCH", "/v1/kms-keys/%zz").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/kms-keys").status, 405);
  EXPECT_EQ(ask("GET", "/v1/kms-keys/testkey-1").status, 405);
  EXPECT_EQ(ask("POST", "/v1/kms-keys/testkey-1").status, 405);
  EXPECT_EQ(asked, "");
}

TEST_F(KmsKeyRoutes, NothingLessThanFullWillDo) {
  scopes = kScopeRead | kScopeExports | kScopeDrives;
  EXPECT_EQ(ask("GET", "/v1/kms-keys").status, 403);
  EXPECT_EQ(ask("POST", "/v1/kms-keys", "{}").status, 403);
  EXPECT_EQ(ask("PATCH", "/v1/kms-keys/k", "{}").status, 403);
  EXPECT_EQ(ask("DELETE", "/v1/kms-keys/k").status, 403);
  EXPECT_EQ(asked, "");
}

TEST_F(KmsKeyRoutes, Errors) {
  refuse = Errc::conflict;
  EXPECT_EQ(ask("DELETE", "/v1/kms-keys/k").status, 409);
  refuse = Errc::not_found;
  EXPECT_EQ(ask("PATCH", "/v1/kms-keys/k", "{}").status, 404);
  refuse = Errc::invalid_argument;
  EXPECT_EQ(ask("POST", "/v1/kms-keys", "x").status, 400);
  refuse = Errc::unavailable;
  EXPECT_EQ(ask("GET", "/v1/kms-keys").status, 503);
}

}  // namespace
}  // namespace outcrop::admin
