// /v1/kms-keys: who gets in, what is asked of the server, how its errors look.
#include "api/admin/kms_key_routes.h"

#include "tests/unit/api/admin/route_fixture.h"

namespace outcrop::admin {
namespace {

class KmsKeyRoutes : public test::RouteTest {
 protected:
  void serve(V1Sources& sources) override {
    sources.kms_keys = {
        .list = [this] { return said("list"); },
        .create = [this](std::string json) { return said("create " + json); },
        .change = [this](std::string id, std::string json) { return said(id + " " + json); },
        .remove = [this](std::string id) { return gone(std::move(id)); }};
  }
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
