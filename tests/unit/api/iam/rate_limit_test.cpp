// How often strangers may ask.
#include "api/iam/rate_limit.h"

#include <gtest/gtest.h>

namespace outcrop::iam {
namespace {

TEST(IamRateLimit, ByNetworkAndTime) {
  RateLimit limit;
  for (int i = 0; i < RateLimit::kBurst; ++i) {
    EXPECT_TRUE(limit.allow("2001:db8::" + std::to_string(i + 1), 0)) << i;
  }
  EXPECT_FALSE(limit.allow("2001:db8::ffff", 0));
  EXPECT_TRUE(limit.allow("2001:db8:0:1::1", 0));
  EXPECT_FALSE(limit.allow("2001:db8::1", 99'999'999));
  EXPECT_TRUE(limit.allow("2001:db8::1", 100'000'000));
  EXPECT_FALSE(limit.allow("2001:db8::1", 100'000'000));
  std::int64_t allowed = 0;
  for (int i = 0; i < 4096; ++i) {
    allowed += limit.allow("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256),
                           1'000'000'000'000);
  }
  EXPECT_EQ(allowed, RateLimit::kAllBurst);
}

}  // namespace
}  // namespace outcrop::iam
