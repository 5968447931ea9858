// /v1/accounts: who gets in, what is asked of the server, how its errors look.
#include "api/admin/account_routes.h"

#include "tests/unit/api/admin/route_fixture.h"

namespace outcrop::admin {
namespace {

class AccountRoutes : public test::RouteTest {
 protected:
  void serve(V1Sources& sources) override {
    sources.accounts = {
        .list = [this] { return said("list"); },
        .create = [this](std::string json) { return said("create " + json); },
        .show = [this](std::string id) { return said("show " + id); },
        .change = [this](std::string id, std::string json) { return said(id + " " + json); },
        .remove = [this](std::string id) { return gone(std::move(id)); },
        .create_key = [this](std::string id) { return said("key of " + id); },
        .remove_key = [this](std::string id, std::string key) { return gone(id + " " + key); }};
  }
};

TEST_F(AccountRoutes, WhatIsAsked) {
  EXPECT_EQ(ask("GET", "/v1/accounts").status, 200);
  EXPECT_EQ(asked, "list");
  EXPECT_EQ(ask("POST", "/v1/accounts", R"({"name":"lab"})").status, 201);
  EXPECT_EQ(asked, R"(create {"name":"lab"})");
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012").status, 204);
  EXPECT_EQ(asked, "remove 123456789012");
  EXPECT_EQ(ask("GET", "/v1/accounts/123456789012").status, 200);
  EXPECT_EQ(asked, "show 123456789012");
  EXPECT_EQ(ask("PATCH", "/v1/accounts/123456789012", R"({"quota":null})").status, 200);
  EXPECT_EQ(asked, R"(123456789012 {"quota":null})");
  EXPECT_EQ(ask("POST", "/v1/accounts/123456789012/keys").status, 201);
  EXPECT_EQ(asked, "key of 123456789012");
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012/keys/AKIA").status, 204);
  EXPECT_EQ(asked, "remove 123456789012 AKIA");
  asked.clear();
  for (const char* bad :
       {"/v1/accounts/", "/v1/accounts//keys", "/v1/accounts/1/", "/v1/accounts/1/key",
        "/v1/accounts/1/keys/", "/v1/accounts/1/keys/a/b", "/v1/accounts/1/keysA/b"}) {
    EXPECT_EQ(ask("DELETE", bad).status, 400) << bad;
  }
  EXPECT_EQ(ask("DELETE", "/v1/accounts/1/keys").status, 405);
  EXPECT_EQ(ask("GET", "/v1/accounts/1/keys").status, 405);
  EXPECT_EQ(ask("POST", "/v1/accounts/1/keys/AKIA").status, 405);
  EXPECT_EQ(ask("POST", "/v1/accounts/1").status, 405);
  EXPECT_EQ(ask("DELETE", "/v1/accounts").status, 405);
  EXPECT_EQ(ask("PUT", "/v1/accounts/123456789012").status, 405);
  EXPECT_EQ(ask("DELETE", "/v1/accounts/").status, 400);
  EXPECT_EQ(asked, "");
}

TEST_F(AccountRoutes, NothingLessThanFullWillDo) {
  scopes = kScopeRead | kScopeExports | kScopeDrives;
  for (const char* method : {"GET", "POST"}) {
    EXPECT_EQ(ask(method, "/v1/accounts", "{}").status, 403) << method;
  }
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012").status, 403);
  EXPECT_EQ(ask("GET", "/v1/accounts/123456789012").status, 403);
  EXPECT_EQ(ask("PATCH", "/v1/accounts/123456789012", "{}").status, 403);
  EXPECT_EQ(ask("POST", "/v1/accounts/123456789012/keys").status, 403);
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012/keys/AKIA").status, 403);
  EXPECT_EQ(asked, "");
}

TEST_F(AccountRoutes, Errors) {
  refuse = Errc::conflict;
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012").status, 409);
  refuse = Errc::not_found;
  EXPECT_EQ(ask("DELETE", "/v1/accounts/123456789012").status, 404);
  refuse = Errc::invalid_argument;
  EXPECT_EQ(ask("POST", "/v1/accounts", "x").status, 400);
  refuse = Errc::unavailable;
  EXPECT_EQ(ask("GET", "/v1/accounts").status, 503);
}

}  // namespace
}  // namespace outcrop::admin
