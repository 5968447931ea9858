// Text patterns: wildcards, variables, ARNs, and that none of them takes long.
#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy::test {
namespace {

Truth matches(std::string_view pattern,
              std::string_view subject,
              const Context& context = MapContext()) {
  const auto compiled_pattern = Pattern::compile(pattern, {});
  EXPECT_TRUE(compiled_pattern) << pattern;
  return compiled_pattern ? compiled_pattern->matches(subject, context) : Truth::unclear;
}

TEST(Pattern, Wildcards) {
  struct Case_ {
    std::string_view pattern, subject;
    bool match;
  };
  for (const Case_& c : std::initializer_list<Case_>{{"", "", true},
                                                     {"", "a", false},
                                                     {"*", "", true},
                                                     {"*", "a/b/c", true},
                                                     {"a*", "a", true},
                                                     {"a*", "ba", false},
                                                     {"*a", "bca", true},
                                                     {"*a", "ab", false},
                                                     {"a*b*c", "a-b-b-c", true},
                                                     {"a*b*c", "a-c-b", false},
                                                     {"?", "a", true},
                                                     {"?", "", false},
                                                     {"?", "ab", false},
                                                     {"a?c", "abc", true},
                                                     {"a?c",
                                                      "a\xc3\xa9"
                                                      "c",
                                                      true},
                                                     {"a??c",
                                                      "a\xc3\xa9"
                                                      "c",
                                                      false},
                                                     {"*?", "", false},
                                                     {"*?", "x", true},
                                                     {"**", "x", true},
                                                     {"*.jpg", "a.jpg.jpg", true},
                                                     {"*ab", "aab", true},
                                                     {"*a?b", "aaxb", true},
                                                     {"photos/*", "photos/", true},
                                                     {"photos/*", "photos", false},
                                                     {"A", "a", false}}) {
    EXPECT_EQ(matches(c.pattern, c.subject) == Truth::yes, c.match)
        << c.pattern << " " << c.subject;
    EXPECT_EQ(wildcard_match(c.pattern, c.subject, Case::sensitive), c.match)
        << c.pattern << " " << c.subject;
  }
  EXPECT_TRUE(wildcard_match("S3:get*", "s3:GetObject", Case::insensitive));
}

TEST(Pattern, ManyStarsOverALongNameEnd) {
  std::string pattern, subject(1024, 'a');
  for (int i = 0; i < 500; ++i) {
    pattern += "*a";
  }
  pattern += "*b";
  EXPECT_EQ(matches(pattern, subject), Truth::no);
}

TEST(Pattern, VariablesArePlainText) {
  MapContext who{{"aws:username", {"al*ce"}}};
  EXPECT_EQ(matches("home/${aws:username}/*", "home/al*ce/x", who), Truth::yes);
  EXPECT_EQ(matches("home/${aws:username}/*", "home/alice/x", who), Truth::no);
  EXPECT_EQ(matches("home/${aws:username}/*", "home/alice/x"), Truth::unclear);
  EXPECT_EQ(matches("${aws:PrincipalTag/team, 'blue'}", "blue", who), Truth::yes);
  EXPECT_EQ(matches("${ aws:PrincipalTag/team , 'b}e'}!", "b}e!", who), Truth::yes);
  EXPECT_EQ(matches("${AWS:UserName}", "al*ce", who), Truth::yes);
  EXPECT_EQ(matches("a${*}b${?}${$}{", "a*b?${"), Truth::yes);
  EXPECT_EQ(matches("a${*}b", "axb"), Truth::no);
  MapContext two{{"s3:RequestObjectTagKeys", {"a", "b"}}};
  EXPECT_EQ(matches("${s3:RequestObjectTagKeys}", "a", two), Truth::unclear);
}

TEST(Pattern, MalformedVariablesAreRefused) {
  for (const char* text :
       {"${", "${aws:username", "${aws:nosuchkey}", "${}", "${username}", "${aws:username 'x'}",
        "${aws:username, 'x' y}", "${aws:username, 'x}"}) {
    EXPECT_FALSE(Pattern::compile(text, {})) << text;
  }
  std::string many;
  for (std::size_t i = 0; i < Pattern::kMaxVariables; ++i) {
    many += "${aws:username}";
  }
  EXPECT_TRUE(Pattern::compile(many, {}));
  EXPECT_FALSE(Pattern::compile(many + "${aws:userid}", {}));
  EXPECT_TRUE(Pattern::compile("${aws:nosuchkey", {.variables = false}));
}

TEST(Pattern, WhatMayLieBelow) {
  const auto below = [](std::string_view pattern, std::string_view prefix) {
    return Pattern::compile(pattern, {})->may_match_below(prefix);
  };
  EXPECT_TRUE(below("photos/*", "photos/"));
  EXPECT_TRUE(below("*", "photos/"));
  EXPECT_TRUE(below("ph*", "photos/"));
  EXPECT_TRUE(below("photos?*", "photos/"));
  EXPECT_TRUE(below("${aws:username}/*", "photos/"));
  EXPECT_TRUE(below("*/secret", "photos/"));
  EXPECT_FALSE(below("photos", "photos/"));
  EXPECT_FALSE(below("photos2/*", "photos/"));
  EXPECT_FALSE(below("", "photos/"));
}

TEST(Arn, PartsMatchByThemselves) {
  const auto arn_matches = [](std::string_view pattern, std::string_view text) {
    ArnParts parts;
    EXPECT_TRUE(split_arn(text, parts));
    const auto compiled_pattern = ArnPattern::compile(pattern, true);
    EXPECT_TRUE(compiled_pattern) << pattern;
    return compiled_pattern->matches(parts, MapContext{{"aws:username", {"a:b"}}});
  };
  EXPECT_EQ(arn_matches("arn:aws:s3:::photos/*", "arn:aws:s3:::photos/a:b"), Truth::yes);
  EXPECT_EQ(arn_matches("arn:aws:s3:*:*:photos/*", "arn:aws:s3:::photos/x"), Truth::yes);
  EXPECT_EQ(arn_matches("arn:aws:*:*:*:photos/*", "arn:aws:s3:::photos/x"), Truth::yes);
  EXPECT_EQ(arn_matches("arn:aws:s3*:::photos", "arn:aws:s3:::photos"), Truth::yes);
  EXPECT_EQ(arn_matches("arn:*:::::x", "arn:aws:s3:::x"), Truth::no);
  EXPECT_EQ(arn_matches("arn:aws:s3:::${aws:username}", "arn:aws:s3:::a:b"), Truth::yes);
  EXPECT_EQ(arn_matches("arn:aws:${aws:username}:::x", "arn:aws:a:b::x"), Truth::no);
  EXPECT_EQ(arn_matches("*", "arn:aws:iam::1:user/x"), Truth::yes);
  for (const char* text :
       {"", "photos", "arn:aws:s3", "arn:aws:*:photos/*", "arn:aws:s3::photos", "ARN:aws:s3:::x"}) {
    EXPECT_FALSE(ArnPattern::compile(text, true)) << text;
  }
}

}  // namespace
}  // namespace outcrop::policy::test
