#include "tools/admin/lifetime.h"

#include <gtest/gtest.h>

namespace outcrop::tools {
namespace {

TEST(Lifetime, NumbersWithUnits) {
  EXPECT_EQ(*parse_lifetime("1s"), 1);
  EXPECT_EQ(*parse_lifetime("90m"), 5400);
  EXPECT_EQ(*parse_lifetime("12h"), 43'200);
  EXPECT_EQ(*parse_lifetime("366d"), 31'622'400);
  EXPECT_EQ(*parse_lifetime("31622400s"), 31'622'400);
}

TEST(Lifetime, WhatIsTooLongSaysSo) {
  for (const char* const text : {"367d", "8785h", "31622401s", "1000000000000000000000d"}) {
    const auto parsed = parse_lifetime(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().detail(), "at most 366d") << text;
  }
}

TEST(Lifetime, WhatIsNoneSaysWhatIsExpected) {
  for (const char* const text :
       {"", "d", "30", "0d", "-1d", "30x", "30 d", "30dd", "+3d", "-999999999999999999999d"}) {
    const auto parsed = parse_lifetime(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().detail().find("like 30d"), std::string_view::npos) << text;
  }
}

}  // namespace
}  // namespace outcrop::tools
