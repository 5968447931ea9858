// Quotas of the admin API: what is taken, and what is said.
#include "server/quota_json.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace outcrop::server {
namespace {

namespace json = boost::json;

Result<ns::QuotaLimits> parsed(const std::string& text) { return parse_quota(json::parse(text)); }

TEST(QuotaJson, WhatIsTaken) {
  EXPECT_EQ(parsed(R"({"bytes": 5, "objects": null})").value(), (ns::QuotaLimits{5, {}}));
  EXPECT_EQ(parsed(R"({"objects": 18446744073709551615})").value(),
            (ns::QuotaLimits{{}, UINT64_MAX}));
  EXPECT_EQ(parsed(R"({"bytes": 0})").value(), (ns::QuotaLimits{0, {}}));
  EXPECT_TRUE(parsed("null").value().empty());
  EXPECT_TRUE(parsed("{}").value().empty());
  for (const char* bad : {"5", R"("5")", R"({"bytes": -1})", R"({"bytes": 1.5})",
                          R"({"bytes": "5"})", R"({"size": 5})", "[]"}) {
    EXPECT_EQ(parsed(bad).error().code(), Errc::invalid_argument) << bad;
  }
}

TEST(QuotaJson, WhatIsSaid) {
  EXPECT_EQ(json::serialize(quota_json({})), "null");
  EXPECT_EQ(json::serialize(quota_json({7, {}})), R"({"bytes":7,"objects":null})");
  ns::BucketUsage usage{.name = "b", .used = {10, 2}, .reserved = 3};
  EXPECT_EQ(json::serialize(usage_json(usage)), R"({"bytes":10,"objects":2,"reserved_bytes":3})");
  usage.counted = false;
  EXPECT_EQ(json::serialize(usage_json(usage)),
            R"({"bytes":null,"objects":null,"reserved_bytes":3})");
}

}  // namespace
}  // namespace outcrop::server
