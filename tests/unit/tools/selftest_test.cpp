#include <gtest/gtest.h>

#include "tools/selftest/checklist.h"
#include "tools/selftest/http_client.h"
#include "tools/selftest/run.h"
#include "tools/selftest/s3_checks.h"
#include "tools/selftest/sample.h"

namespace outcrop::selftest {
namespace {

TEST(Selftest, QueriesAreEncodedAndSortedAsTheSignatureWantsThem) {
  EXPECT_EQ(canonical_query({}), "");
  EXPECT_EQ(canonical_query({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(canonical_query({{"prefix", "a/b &"}, {"list-type", "2"}, {"a", "ü"}}),
            "a=%C3%BC&list-type=2&prefix=a%2Fb%20%26");
}

TEST(Selftest, TextsOfXmlHaveTheirEntitiesResolved) {
  const std::string xml =
      "<L><Key>a&amp;&lt;b&gt;</Key><Key></Key><Key>c</Key><Other>d</Other></L>";
  EXPECT_EQ(xml_texts(xml, "Key"), (std::vector<std::string>{"a&<b>", "", "c"}));
  EXPECT_TRUE(xml_texts(xml, "None").empty());
  EXPECT_EQ(xml_texts("<Key>" + xml_escape("<&>") + "</Key>", "Key").at(0), "<&>");
  EXPECT_EQ(xml_texts("<Key>cut off", "Key").at(0), "cut off");
}

TEST(Selftest, PlacesOfNfs) {
  const auto place = [](const std::string& text) {
    const auto parsed = parse_nfs_place(text);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) + " " + parsed->path : "-";
  };
  EXPECT_EQ(place("nas:2049"), "nas 2049 ");
  EXPECT_EQ(place("nas:2049/"), "nas 2049 ");
  EXPECT_EQ(place("10.0.0.1:20490/a/b"), "10.0.0.1 20490 /a/b");
  EXPECT_EQ(place("[::1]:2049/a"), "::1 2049 /a");
  for (const char* wrong : {"", "nas", "nas:", "nas:0", "nas:65536", "nas:x", ":2049", "nas/a:2049",
                            "[::1:2049", "nas:2049x/a"}) {
    EXPECT_EQ(place(wrong), "-") << wrong;
  }
}

TEST(Selftest, AnAnswerThatDiffersSaysWhatWasExpectedAndWhatCame) {
  Reply reply;
  reply.status = 404;
  reply.body = "<Error><Code>NoSuchKey</Code></Error>";
  EXPECT_TRUE(expect("GET", reply, 404));
  EXPECT_TRUE(expect("GET", reply, 404, "NoSuchKey"));
  EXPECT_EQ(expect("GET", reply, 404, "NoSuchBucket").error().detail(),
            "GET: expected 404 NoSuchBucket, got 404 NoSuchKey");
  EXPECT_EQ(expect("GET", reply, 200).error().detail(), "GET: expected 200, got 404 NoSuchKey");
  EXPECT_TRUE(expect_equal("x", "a", "a"));
  const auto longer = expect_equal("x", "a\nb", std::string(1000, 'y'));
  EXPECT_NE(longer.error().detail().find("expected a b, got yyy"), std::string::npos);
  EXPECT_NE(longer.error().detail().find("(1000 bytes)"), std::string::npos);
}

Task<> passes() { co_return ok(); }
Task<> fails() { co_return differs("it", "one thing", "another"); }
Task<> must_not_run(bool& ran) {
  ran = true;
  co_return ok();
}

Task<> use(Checklist& list, Stopper& stopper, bool& ran) {
  EXPECT_TRUE(co_await list.run("good", passes()));
  EXPECT_FALSE(co_await list.run("bad", fails()));
  stopper.stop("time is up");
  EXPECT_FALSE(co_await list.run("late", must_not_run(ran)));
  stopper.go_on();
  list.skip_rest("no bucket");
  EXPECT_FALSE(co_await list.run("later", must_not_run(ran)));
  EXPECT_TRUE(co_await list.run_always("clean up", passes()));
  co_return ok();
}

TEST(Selftest, ChecksAreSkippedOnceItIsStopped) {
  Stopper stopper;
  int stops = 0;
  bool ran = false;
  stopper.on_stop([&stops] { ++stops; });
  std::string told;
  Checklist list(stopper, [&told](const Outcome& o) { told += o.name + ":" + o.why + ";"; });
  ASSERT_TRUE(run_sync(use(list, stopper, ran)));
  EXPECT_FALSE(ran);
  EXPECT_EQ(stops, 1);
  EXPECT_EQ(told,
            "good:;bad:it: expected one thing, got another;late:time is up;later:no bucket;"
            "clean up:;");
  EXPECT_EQ(list.count(Verdict::pass), 2U);
  EXPECT_EQ(list.count(Verdict::fail), 1U);
  EXPECT_EQ(list.count(Verdict::skipped), 2U);
}

TEST(Selftest, SamplesDifferByLengthAndPlace) {
  EXPECT_NE(sample(100), sample(101).substr(0, 100));
  EXPECT_NE(sample(4096).substr(0, 64), sample(4096).substr(64, 64));
  EXPECT_EQ(sample(4096), sample(4096));
}

}  // namespace
}  // namespace outcrop::selftest
