// JSON from strangers: values as written, duplicates and limits refused.
#include "api/json/value.h"

#include <gtest/gtest.h>

namespace outcrop::json {
namespace {

TEST(Json, ValuesAsWritten) {
  const auto v = parse(R"( {"a":["x\u00e9\"", 1.50, -3, true, null], "":{}} )", {});
  ASSERT_TRUE(v);
  const Value* const a = v->find("a");
  ASSERT_NE(a, nullptr);
  ASSERT_EQ(a->items.size(), 5U);
  EXPECT_EQ(a->items[0].text, "x\xc3\xa9\"");
  EXPECT_EQ(a->items[1].text, "1.50");
  EXPECT_EQ(a->items[2].text, "-3");
  EXPECT_EQ(a->items[3].text, "true");
  EXPECT_EQ(a->items[4].kind, Kind::null);
  EXPECT_TRUE(v->find("")->is_object());
  EXPECT_EQ(v->find("b"), nullptr);
}

TEST(Json, BrokenTexts) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "1 2", "{\"a\":1}x", "'a'", "\"\xff\"", "// c\n1",
        "[1,2", "nul", "{\"a\" 1}", "{\"a\":1,\"b\":2,\"a\":3}"}) {
    EXPECT_FALSE(parse(text, {})) << text;
  }
}

TEST(Json, Limits) {
  EXPECT_TRUE(parse("[[1]]", {.bytes = 5, .depth = 2, .values = 3}));
  EXPECT_FALSE(parse("[[1]]", {.bytes = 4, .depth = 2, .values = 3}));
  EXPECT_FALSE(parse("[[1]]", {.bytes = 5, .depth = 1, .values = 3}));
  EXPECT_FALSE(parse("[[1]]", {.bytes = 5, .depth = 2, .values = 2}));
}

}  // namespace
}  // namespace outcrop::json
