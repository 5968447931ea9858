// Everything below /v1: which scope opens which route, and what the audit log says.
#include "api/admin/v1.h"

#include <gtest/gtest.h>

#include "storage/base/async.h"
#include "tests/support/recorded_events.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin {
namespace {

class V1 : public ::testing::Test {
 protected:
  V1() {
    sources.find_caller = [](std::string_view token) -> std::optional<Caller> {
      if (token == "none") {
        return std::nullopt;
      }
      const std::uint8_t scopes = token == "read"      ? kScopeRead
                                  : token == "exports" ? kScopeExports
                                  : token == "drives"  ? kScopeDrives
                                                       : kScopeFull;
      return Caller{.id = "id-" + std::string(token), .scopes = scopes};
    };
    sources.exports = {.list = [this] { return text(); },
                       .add = [this](std::string) { return text(); },
                       .remove = [this](std::string) { return nothing(); },
                       .rotate_key = [this](bool force) { return rotate(force); }};
    sources.drives = {.list = [this] { return text(); },
                      .add = [this](std::string) { return text(); },
                      .change = [this](unsigned, std::string) { return text(); },
                      .remove = [this](unsigned) { return nothing(); }};
    sources.tokens = {.list = [this] { return text(); },
                      .create = [this](std::string) { return text(); },
                      .revoke = [this](std::string id) { return revoke(std::move(id)); }};
    sources.audit = &events;
  }
  int ask(const std::string& token, const std::string& method, const std::string& target) {
    return send(token.empty() ? "" : "Bearer " + token, method, target).status;
  }
  http::Response send(const std::string& authorization,
                      const std::string& method,
                      const std::string& target) {
    test::Body reader("{}");
    http::Request request;
    request.method = method;
    request.target = target;
    request.remote = "[::1]:50000";
    request.id = "R";
    request.body = &reader;
    if (!authorization.empty()) {
      request.headers.push_back({"authorization", authorization});
    }
    const auto run = [&]() -> Task<http::Response> {
      co_return co_await serve_v1(sources, request);
    };
    return run_sync(run()).value();
  }
  static std::string body(const http::Response& r) { return std::get<std::string>(r.body); }
  static std::string challenge(const http::Response& r) {
    const auto it = std::ranges::find(r.headers, "WWW-Authenticate", &http::Header::name);
    return it == r.headers.end() ? std::string() : it->value;
  }
  Task<std::string> text() { co_return "{}"; }
  Task<> nothing() { co_return ok(); }
  Task<std::string> rotate(bool force) {
    forced = force;
    co_return force ? Result<std::string>("{}") : fail(Errc::conflict, "too early");
  }
  Task<> revoke(std::string id) {
    revoked = std::move(id);
    co_return ok();
  }

  V1Sources sources;
  testing::RecordedEvents events;
  bool forced = false;
  std::string revoked;
};

TEST_F(V1, ScopesOpenTheirRoutes) {
  struct Row {
    std::string method, target;
    int read, exports, drives, full;
  };
  const std::vector<Row> rows{{"GET", "/v1/exports", 200, 200, 403, 200},
                              {"POST", "/v1/exports", 403, 201, 403, 201},
                              {"DELETE", "/v1/exports/a", 403, 204, 403, 204},
                              {"POST", "/v1/handle-key?force=true", 403, 200, 403, 200},
                              {"POST", "/v1/handle-key/x?force=true", 404, 404, 404, 404},
                              {"POST", "/v1/handle-key/", 404, 404, 404, 404},
                              {"GET", "/v1/drives", 200, 403, 200, 200},
                              {"POST", "/v1/drives", 403, 403, 201, 201},
                              {"PATCH", "/v1/drives/3", 403, 403, 200, 200},
                              {"DELETE", "/v1/drives/3", 403, 403, 204, 204},
                              {"GET", "/v1/drives/3", 405, 403, 405, 405},
                              {"GET", "/v1/drives/x", 404, 403, 404, 404},
                              {"GET", "/v1/tokens", 403, 403, 403, 200},
                              {"POST", "/v1/tokens", 403, 403, 403, 201},
                              {"DELETE", "/v1/tokens/x", 403, 403, 403, 204},
                              {"GET", "/v1/none", 404, 404, 404, 404},
                              {"GET", "/v1", 404, 404, 404, 404},
                              {"PUT", "/v1/exports", 403, 405, 403, 405}};
  for (const Row& row : rows) {
    const std::string what = row.method + " " + row.target;
    EXPECT_EQ(ask("read", row.method, row.target), row.read) << what;
    EXPECT_EQ(ask("exports", row.method, row.target), row.exports) << what;
    EXPECT_EQ(ask("drives", row.method, row.target), row.drives) << what;
    EXPECT_EQ(ask("full", row.method, row.target), row.full) << what;
    EXPECT_EQ(ask("none", row.method, row.target), 401) << what;
    EXPECT_EQ(ask("", row.method, row.target), 401) << what;
  }
}

TEST_F(V1, WhoIsNotLetInHearsWhy) {
  const http::Response without = send("", "GET", "/v1/exports");
  EXPECT_EQ(without.status, 401);
  EXPECT_NE(body(without).find("needs an admin token"), std::string::npos) << body(without);
  EXPECT_EQ(challenge(without), "Bearer");
  for (const char* const none : {"Basic full", "Bearer", "Bearer ", "Bearerfull", "full"}) {
    const http::Response refused = send(none, "GET", "/v1/exports");
    EXPECT_EQ(refused.status, 401) << none;
    EXPECT_EQ(body(refused), body(without)) << none;
  }
  const http::Response wrong = send("Bearer none", "GET", "/v1/exports");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(body(wrong).find("unknown, revoked or has ended"), std::string::npos) << body(wrong);
  EXPECT_EQ(challenge(wrong), "Bearer error=\"invalid_token\"");
}

TEST_F(V1, TheSchemeIsReadInAnyCase) {
  for (const char* const good : {"Bearer read", "bearer read", "BEARER   read"}) {
    EXPECT_EQ(send(good, "GET", "/v1/exports").status, 200) << good;
  }
}

TEST_F(V1, ChangesAndRefusalsAreAudited) {
  ask("full", "GET", "/v1/exports");
  EXPECT_EQ(events.take().size(), 0u);
  ask("exports", "DELETE", "/v1/exports/a%20b");
  EXPECT_EQ(events.take(),
            std::vector<std::string>{
                R"("protocol":"admin","address":"[::1]","identity":"id-exports","request":"R",)"
                R"("action":"admin:DELETE","resource":"/v1/exports/a%20b","result":"ok",)"
                R"("status":"204","reason":"scope of the token")"});
  ask("read", "POST", "/v1/exports");
  EXPECT_NE(events.take().at(0).find(R"("identity":"id-read")"), std::string::npos);
  ask("none", "GET", "/v1/tokens");
  EXPECT_NE(events.take().at(0).find(R"("result":"denied","status":"401")"), std::string::npos);
  ask("full", "POST", "/v1/handle-key");
  EXPECT_NE(events.take().at(0).find(R"("result":"failed","status":"409")"), std::string::npos);
}

TEST_F(V1, TheHandleKeyIsForcedOnlyIfAsked) {
  EXPECT_EQ(ask("full", "POST", "/v1/handle-key"), 409);
  EXPECT_FALSE(forced);
  EXPECT_EQ(ask("full", "POST", "/v1/handle-key?force=false"), 400);
  EXPECT_EQ(ask("full", "GET", "/v1/handle-key"), 405);
  EXPECT_EQ(ask("full", "POST", "/v1/handle-key?force=true"), 200);
  EXPECT_TRUE(forced);
}

TEST_F(V1, TokensAreRevokedById) {
  EXPECT_EQ(ask("full", "DELETE", "/v1/tokens/ab%2F"), 204);
  EXPECT_EQ(revoked, "ab/");
  EXPECT_EQ(ask("full", "DELETE", "/v1/tokens/"), 400);
  EXPECT_EQ(ask("full", "DELETE", "/v1/tokens/%zz"), 400);
  EXPECT_EQ(ask("full", "DELETE", "/v1/tokens"), 405);
}

}  // namespace
}  // namespace outcrop::admin
