// /v1/drives: who gets in, what is asked of the server, how its errors look.
#include "api/admin/drive_routes.h"

#include <gtest/gtest.h>

#include "api/admin/answer.h"
#include "api/admin/handler.h"
#include "storage/base/async.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin {
namespace {

const std::string kToken(64, 't');

using test::Body;

class DriveRoutes : public ::testing::Test {
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
    request.headers.push_back({"authorization", authorization});
    AdminSources sources = {.checks = [] { return std::vector<Check>(); },
                            .metrics = [] { return std::string(); }};
    sources.v1.find_caller = [](std::string_view given) {
      return given == kToken ? std::optional(Caller{.id = "t", .scopes = kScopeDrives})
                             : std::nullopt;
    };
    sources.v1.drives = {
        .list = [this] { return said("list"); },
        .add = [this](std::string json) { return said("add " + json); },
        .change = [this](unsigned slot,
                         std::string json) { return said(std::to_string(slot) + " " + json); },
        .remove = [this](unsigned slot) { return gone(slot); }};
    const http::Handler handler = make_handler(std::move(sources));
    const auto run = [&]() -> Task<http::Response> { co_return co_await handler(request); };
    return std::move(run_sync(run()).value());
  }
  static std::string text(const http::Response& r) { return std::get<std::string>(r.body); }

  Task<std::string> said(std::string what) {
    asked = std::move(what);
    if (refuse) {
      co_return fail(*refuse, "because");
    }
    co_return "{}";
  }
  Task<> gone(unsigned slot) {
    CO_TRYV(co_await said("remove " + std::to_string(slot)));
    co_return ok();
  }

  std::string asked;
  std::optional<Errc> refuse;
};

TEST_F(DriveRoutes, EachRequestIsWhatItSays) {
  EXPECT_EQ(ask("GET", "/v1/drives").status, 200);
  EXPECT_EQ(asked, "list");
  EXPECT_EQ(ask("POST", "/v1/drives", R"({"path":"/d"})").status, 201);
  EXPECT_EQ(asked, R"(add {"path":"/d"})");
  EXPECT_EQ(ask("PATCH", "/v1/drives/7?x=1", R"({"draining":true})").status, 200);
  EXPECT_EQ(asked, R"(7 {"draining":true})");
  EXPECT_EQ(ask("DELETE", "/v1/drives/63").status, 204);
  EXPECT_EQ(asked, "remove 63");
}

TEST_F(DriveRoutes, StrangersAreRefused) {
  const std::vector<std::string> strangers{"", "Bearer ", "Bearer x", "Basic " + kToken};
  for (const std::string& authorization : strangers) {
    const http::Response r = ask("DELETE", "/v1/drives/1", {}, authorization);
    EXPECT_EQ(r.status, 401) << authorization;
  }
  EXPECT_EQ(asked, "");
}

TEST_F(DriveRoutes, WhatIsNoSlotIsNotFound) {
  for (const char* const slot : {"", "x", "-1", "1x", "256", "99999999999999999999", "1/2"}) {
    EXPECT_EQ(ask("DELETE", std::string("/v1/drives/") + slot).status, 404) << slot;
  }
  EXPECT_EQ(ask("PUT", "/v1/drives/1").status, 405);
  EXPECT_EQ(ask("DELETE", "/v1/drives").status, 405);
  EXPECT_EQ(ask("POST", "/v1/drives", std::string(kMaxAdminBody + 1, 'x')).status, 413);
  EXPECT_EQ(ask("POST", "/v1/drives", std::string(kMaxAdminBody, 'x')).status, 201);
}

TEST_F(DriveRoutes, ErrorsHaveAStatusAndAReason) {
  const std::vector<std::pair<Errc, int>> table{{Errc::invalid_argument, 400},
                                                {Errc::not_found, 404},
                                                {Errc::conflict, 409},
                                                {Errc::unavailable, 503},
                                                {Errc::io_error, 500}};
  for (const auto& [code, status] : table) {
    refuse = code;
    const http::Response r = ask("PATCH", "/v1/drives/1", "{}");
    EXPECT_EQ(r.status, status);
    EXPECT_NE(text(r).find("because"), std::string::npos);
  }
}

}  // namespace
}  // namespace outcrop::admin
