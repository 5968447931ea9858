// /v1/exports: who gets in, what is asked of the server, how its errors look.
#include "api/admin/export_routes.h"

#include <gtest/gtest.h>

#include "api/admin/answer.h"
#include "api/admin/handler.h"
#include "storage/base/async.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin {
namespace {

const std::string kToken(64, 't');

using test::Body;

class ExportRoutes : public ::testing::Test {
 protected:
  http::Response ask(const std::string& method,
                     const std::string& target,
                     const std::string& body = {},
                     const std::string& authorization = "Bearer " + kToken) {
    Body reader(body);
    http::Request request;
    request.method = method;
    request.target = target;
    request.body = &reader;
    if (!authorization.empty()) {
      request.headers.push_back({"authorization", authorization});
    }
    AdminSources sources = {.checks = [] { return std::vector<Check>(); },
                            .metrics = [] { return std::string(); }};
    sources.v1.find_caller = [](std::string_view given) {
      return given == kToken ? std::optional(Caller{.id = "t", .scopes = kScopeExports})
                             : std::nullopt;
    };
    sources.v1.exports = {.list = [this] { return list(); },
                          .add = [this](std::string json) { return add(std::move(json)); },
                          .remove = [this](std::string path) { return remove(std::move(path)); },
                          .rotate_key = [this](bool) { return list(); }};
    const http::Handler handler = make_handler(std::move(sources));
    const auto run = [&]() -> Task<http::Response> { co_return co_await handler(request); };
    return std::move(run_sync(run()).value());
  }
  static std::string text(const http::Response& r) { return std::get<std::string>(r.body); }

  Task<std::string> list() { co_return "[]"; }
  Task<std::string> add(std::string json) {
    asked = std::move(json);
    if (refuse) {
      co_return fail(*refuse, "because");
    }
    co_return "{}";
  }
  Task<> remove(std::string path) {
    asked = std::move(path);
    if (refuse) {
      co_return fail(*refuse, "because");
    }
    co_return ok();
  }

  std::string asked;
  std::optional<Errc> refuse;
};

TEST_F(ExportRoutes, NothingWithoutTheToken) {
  for (const std::string& given :
       {std::string(), std::string("Bearer"), std::string("Bearer "), "Bearer " + kToken.substr(1),
        "Bearer " + kToken + "t", "Basic " + kToken, "Bearer " + std::string(64, 'u')}) {
    EXPECT_EQ(ask("GET", "/v1/exports", "", given).status, 401) << given;
    EXPECT_EQ(ask("POST", "/v1/exports", "{}", given).status, 401) << given;
    EXPECT_EQ(ask("DELETE", "/v1/exports/a", "", given).status, 401) << given;
  }
  EXPECT_EQ(asked, "");
}

TEST_F(ExportRoutes, ListAddRemove) {
  EXPECT_EQ(text(ask("GET", "/v1/exports?x=1")), "[]");
  EXPECT_EQ(ask("POST", "/v1/exports", "{\"bucket\":1}").status, 201);
  EXPECT_EQ(asked, "{\"bucket\":1}");
  EXPECT_EQ(ask("DELETE", "/v1/exports/a%20b/c").status, 204);
  EXPECT_EQ(asked, "/a b/c");
}

TEST_F(ExportRoutes, Mistakes) {
  EXPECT_EQ(ask("PUT", "/v1/exports").status, 405);
  EXPECT_EQ(ask("GET", "/v1/exports/a").status, 405);
  EXPECT_EQ(ask("DELETE", "/v1/exports").status, 405);
  EXPECT_EQ(ask("DELETE", "/v1/exports/").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/exports/a%2").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/exports/a%zz").status, 400);
  EXPECT_EQ(ask("GET", "/v1/exportsx").status, 404);
  EXPECT_EQ(asked, "");
}

TEST_F(ExportRoutes, ErrorsOfTheServer) {
  for (const auto& [code, status] : {std::pair(Errc::invalid_argument, 400),
                                     {Errc::already_exists, 409},
                                     {Errc::not_found, 404},
                                     {Errc::config, 500}}) {
    refuse = code;
    const http::Response r = ask("POST", "/v1/exports", "{}");
    EXPECT_EQ(r.status, status);
    EXPECT_NE(text(r).find("because"), std::string::npos);
    EXPECT_EQ(ask("DELETE", "/v1/exports/a").status, status);
  }
}

TEST_F(ExportRoutes, BodyLimit) {
  EXPECT_EQ(ask("POST", "/v1/exports", std::string(kMaxAdminBody, ' ')).status, 201);
  asked = "";
  EXPECT_EQ(ask("POST", "/v1/exports", std::string(kMaxAdminBody + 1, ' ')).status, 413);
  EXPECT_EQ(asked, "");
}

}  // namespace
}  // namespace outcrop::admin
