// The form of a line: what is in it, what escaping keeps out, and that any change shows.
#include "auth/audit/line.h"

#include <gtest/gtest.h>

namespace outcrop::audit {
namespace {

constexpr std::int64_t kTime = 1'795'303'176'000'123'456;

TEST(AuditLine, HasAllThatIsKnownInAFixedOrder) {
  const Event event{.protocol = "nfs",
                    .address = "10.0.0.7",
                    .identity = "KEY",
                    .request = "R1",
                    .action = "nfs3.RENAME",
                    .resource = "b/a",
                    .target = "b/c",
                    .result = Decision::denied,
                    .status = "acces",
                    .reason = "permission bits",
                    .on = "/data",
                    .uid = 0,
                    .gid = 7};
  EXPECT_EQ(body_of(event, kTime),
            R"("time":"2026-11-21T23:19:36.000123Z","protocol":"nfs","address":"10.0.0.7",)"
            R"("identity":"KEY","uid":0,"gid":7,"export":"/data","request":"R1",)"
            R"("action":"nfs3.RENAME","resource":"b/a","target":"b/c","result":"denied",)"
            R"("status":"acces","reason":"permission bits")");
  EXPECT_EQ(body_of({.action = "x"}, -1),
            R"("time":"1969-12-31T23:59:59.999999Z","action":"x","result":"ok")");
}

TEST(AuditLine, TextsCannotBreakOut) {
  const std::string odd = "q\" b\\ n\n z\x01 d\x7f u\xC3\xA4 bad\xFF cut\xE2\x82";
  const std::string body = body_of({.resource = odd}, kTime);
  EXPECT_NE(body.find(R"("resource":"q\" b\\ n\u000a z\u0001 d\u007f u)"
                      "\xC3\xA4 bad\xEF\xBF\xBD cut\xEF\xBF\xBD\xEF\xBF\xBD\""),
            std::string::npos)
      << body;
  for (const std::string wrong : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80",
                                  "\xF0\x80\x80\x80", "\xC3(", "\x80"}) {
    const std::string text = body_of({.resource = wrong}, kTime);
    EXPECT_NE(text.find("\"\xEF\xBF\xBD"), std::string::npos) << text;
  }
  const std::string forged = R"(","protocol":"server","action":"audit.gap","dropped":9)";
  Link at;
  const std::string line = seal(body_of({.resource = forged}, kTime), at);
  EXPECT_FALSE(is_mark(line, kGap));
  EXPECT_EQ(count_in(line, "dropped"), 0u);
}

TEST(AuditLine, LongTextsAreCutAndFit) {
  const std::string longest(kMaxTextBytes + 1, '\x01');
  const Event event{.protocol = longest,
                    .address = longest,
                    .identity = longest,
                    .request = longest,
                    .action = longest,
                    .resource = longest,
                    .target = longest,
                    .status = longest,
                    .reason = longest,
                    .on = longest};
  Link at;
  std::string line = seal(body_of(event, kTime), at);
  EXPECT_LE(line.size(), kMaxLineBytes);
  EXPECT_GT(line.size(), 6 * kMaxTextBytes);
  line.pop_back();
  EXPECT_TRUE(parse_line(line));
}

TEST(AuditLine, EveryChangedByteShows) {
  Link at;
  const std::string first = seal(body_of({.action = "a", .resource = "r"}, kTime), at);
  const Link behind = at;
  std::string second = seal(body_of({.action = "b"}, kTime), at);
  second.pop_back();
  const auto parsed = parse_line(second);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->link, at);
  EXPECT_EQ(parsed->link.seq, 2u);
  EXPECT_EQ(parsed->prev, behind.hash);
  for (std::size_t i = 0; i < second.size(); ++i) {
    std::string changed = second;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_line(changed)) << i;
    EXPECT_FALSE(parse_line(second.substr(0, i))) << i;
  }
  EXPECT_FALSE(parse_line(second + " "));
  EXPECT_FALSE(parse_line(""));
}

TEST(AuditLine, MarksCarryNumbers) {
  Link at;
  const std::string line =
      seal(mark_body(kGap, "why", {{"dropped", 12}, {"suppressed", 3}}, kTime), at);
  EXPECT_TRUE(is_mark(line, kGap));
  EXPECT_FALSE(is_mark(line, kStart));
  EXPECT_EQ(count_in(line, "dropped"), 12u);
  EXPECT_EQ(count_in(line, "suppressed"), 3u);
  EXPECT_EQ(count_in(line, "bytes"), 0u);
}

}  // namespace
}  // namespace outcrop::audit
