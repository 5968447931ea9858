// Requests to one route of the admin API, from a caller whose scopes a test chooses, to a server
// that notes what it is asked.
#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "api/admin/handler.h"
#include "storage/base/async.h"
#include "tests/unit/api/admin/body.h"

namespace outcrop::admin::test {

class RouteTest : public ::testing::Test {
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
    serve(sources.v1);
    const http::Handler handler = make_handler(std::move(sources));
    const auto run = [&]() -> Task<http::Response> { co_return co_await handler(request); };
    return std::move(run_sync(run()).value());
  }
  /// The sources of the route; said() and gone() are their answers.
  virtual void serve(V1Sources& sources) = 0;

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
  std::string asked;           ///< last
  std::optional<Errc> refuse;  ///< what every answer is
};

}  // namespace outcrop::admin::test
