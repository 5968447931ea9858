// Lifecycle rules: the document, which object goes when, and the job that carries them out.
#include "api/s3/lifecycle.h"

#include "api/s3/lifecycle_job.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

constexpr std::int64_t kDay = kSecondsPerDay, kNs = 1'000'000'000;

std::string document(const std::string& rules) {
  return "<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>";
}
std::string rule(const std::string& fields, const std::string& filter = "<Filter/>") {
  return "<Rule>" + fields + filter + "<Status>Enabled</Status></Rule>";
}
const std::string kOneDay = "<Expiration><Days>1</Days></Expiration>";
const std::string kAbort =
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation>"
    "</AbortIncompleteMultipartUpload>";

struct Log final : audit::Sink {
  void record(const audit::Event& event) override {
    lines.push_back(std::string(event.action) + " " + std::string(event.resource) + " " +
                    std::string(event.reason));
    if (auto once = std::exchange(after, nullptr)) {
      once();
    }
  }
  std::vector<std::string> lines;
  std::function<void()> after;  ///< the next record
};

class Lifecycle : public S3Test {
 protected:
  Reply set(const std::string& rules) {
    return send("PUT", "/bucket?lifecycle", {}, {document(rules)});
  }
  std::string refusal(const std::string& rules) { return code(set(rules)); }
  void pass() {
    LifecycleJob job({.ns = ns, .settings = *settings, .clock = clock, .audit = &log});
    EXPECT_TRUE(run_sync(job.pass()));
    expired = job.expired();
    aborted = job.aborted();
  }
  std::vector<std::string> keys() { return texts(send("GET", "/bucket").body, "Key"); }
  Log log;
  std::uint64_t expired = 0, aborted = 0;
};
using Keys = std::vector<std::string>;

TEST_F(Lifecycle, RoundTrip) {
  EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
  const std::string rules =
      "<Rule><ID>a</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag>"
      "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan>"
      "</And></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>"
      "<Rule><ID>b</ID><Prefix>old/</Prefix><Status>Disabled</Status>"
      "<Expiration><Date>2030-01-31T00:00:00.000Z</Date></Expiration></Rule>"
      "<Rule><ID>c</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>" +
      kAbort + "</Rule>";
  ASSERT_EQ(set(rules).status, 200);
  EXPECT_NE(send("GET", "/bucket?lifecycle").body.find(rules), std::string::npos)
      << send("GET", "/bucket?lifecycle").body;
  EXPECT_EQ(send("DELETE", "/bucket?lifecycle").status, 204);
  EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
}

// As other servers take them: an And that was not written.
TEST_F(Lifecycle, ConditionsSideBySideCountTogether) {
  const std::string tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
  ASSERT_EQ(set(rule(kOneDay, "<Filter><Prefix>p/</Prefix>" + tag + "</Filter>")).status, 200);
  const std::string kept = send("GET", "/bucket?lifecycle").body;
  EXPECT_NE(kept.find("<Filter><And><Prefix>p/</Prefix>" + tag + "</And></Filter>"), kept.npos)
      << kept;
  ASSERT_EQ(put("p/both", "1", {{"x-amz-tagging", "k=v"}}).status, 200);
  ASSERT_EQ(put("p/prefix", "1").status, 200);
  ASSERT_EQ(put("tag", "1", {{"x-amz-tagging", "k=v"}}).status, 200);
  clock.seconds += 2 * kSecondsPerDay;
  pass();
  EXPECT_EQ(keys(), (Keys{"p/prefix", "tag"}));
  ASSERT_EQ(set(rule(kOneDay,
                     "<Filter><Prefix/><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>"
                     "</Filter>"))
                .status,
            200);
  EXPECT_NE(send("GET", "/bucket?lifecycle")
                .body.find("<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>"),
            std::string::npos);
}

TEST_F(Lifecycle, DatesOfAllYearsAreGivenBack) {
  for (const std::string date :
       {"0000-01-01", "1600-02-29", "1969-12-31", "2262-04-12", "2500-06-15", "9999-12-31"}) {
    ASSERT_EQ(set(rule("<Expiration><Date>" + date + "</Date></Expiration>")).status, 200) << date;
    EXPECT_EQ(texts(send("GET", "/bucket?lifecycle").body, "Date"),
              (Keys{date + "T00:00:00.000Z"}));
  }
}

TEST_F(Lifecycle, RulesWithoutANameGetOne) {
  ASSERT_EQ(set(rule(kOneDay) + rule("<ID>rule-1</ID>" + kOneDay) + rule(kOneDay)).status, 200);
  EXPECT_EQ(texts(send("GET", "/bucket?lifecycle").body, "ID"),
            (Keys{"rule-2", "rule-1", "rule-3"}));
}

TEST_F(Lifecycle, WhatIsRefused) {
  const auto tag = [](const std::string& key) {
    return "<Tag><Key>" + key + "</Key><Value>v</Value></Tag>";
  };
  for (const std::string& bad :
       {std::string(),
        std::string("<Other/>"),
        "<Rule>" + kOneDay + "<Filter/></Rule>",
        rule(kOneDay, ""),
        rule(kOneDay, "<Filter/><Prefix/>"),
        rule(kOneDay, "<Filter/><Filter/>"),
        rule(kOneDay + kOneDay),
        rule("<Expiration/>"),
        rule("<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>"),
        rule("<Expiration><Days>x</Days></Expiration>"),
        rule("<Expiration><Days>2147483648</Days></Expiration>"),
        rule("<Expiration><Date>20300101</Date></Expiration>"),
        rule("<Expiration><Date>2030-01-01T00:00:00</Date></Expiration>"),
        rule("<Expiration><Date>2030-02-29</Date></Expiration>"),
        rule("<Expiration><Date>2030-01-01T23:59:60Z</Date></Expiration>"),
        rule("<AbortIncompleteMultipartUpload/>"),
        rule(kOneDay + "<More/>"),
        rule(kOneDay, "<Filter><And>" + tag("a") + tag("b") + "</And>" + tag("c") + "</Filter>"),
        rule(kOneDay, "<Filter><Prefix>p</Prefix><Prefix>q</Prefix></Filter>"),
        rule(kOneDay, "<Filter><And><Prefix>p</Prefix></And></Filter>"),
        rule(kOneDay, "<Filter><More/></Filter>"),
        "<Rule>" + kOneDay + "<Filter/><Status>enabled</Status></Rule>"}) {
    EXPECT_EQ(refusal(bad), "MalformedXML") << bad;
  }
  for (const std::string& bad : {rule("<Expiration><Days>0</Days></Expiration>"),
                                 rule("<Expiration><Days>-1</Days></Expiration>"),
                                 rule("<Expiration><Date>2030-01-01T01:00:00Z</Date></Expiration>"),
                                 rule("<ID>" + std::string(256, 'i') + "</ID>" + kOneDay),
                                 rule("<ID>a</ID>" + kOneDay) + rule("<ID>a</ID>" + kOneDay)}) {
    EXPECT_EQ(refusal(bad), "InvalidArgument") << bad;
  }
  for (const std::string& bad :
       {rule("<ID>none</ID>"), rule(kAbort, "<Filter>" + tag("a") + "</Filter>"),
        rule(kAbort, "<Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>"),
        rule(kOneDay, "<Filter><Prefix>" + std::string(1025, 'p') + "</Prefix></Filter>"),
        rule(kOneDay,
             "<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>"
             "<ObjectSizeLessThan>5</ObjectSizeLessThan></And></Filter>")}) {
    EXPECT_EQ(refusal(bad), "InvalidRequest") << bad;
  }
  EXPECT_EQ(refusal(rule(kOneDay, "<Filter>" + tag("aws:x") + "</Filter>")), "InvalidTag");
  for (const char* later : {"Transition", "NoncurrentVersionTransition"}) {
    const std::string name(later);
    const auto with = [&](const std::string& fields) {
      return refusal(rule(kOneDay + "<" + name + ">" + fields + "</" + name + ">"));
    };
    EXPECT_EQ(with(""), "NotImplemented") << name;
    EXPECT_EQ(with("<Date>2030-01-01</Date><StorageClass>GLACIER</StorageClass>"),
              "NotImplemented");
    EXPECT_EQ(with("<NoncurrentDays>5</NoncurrentDays>"), "NotImplemented");
    EXPECT_EQ(with("<Date>20300101</Date>"), "MalformedXML") << name;
    EXPECT_EQ(with("<Date>2030-01-01T01:00:00Z</Date>"), "InvalidArgument") << name;
    EXPECT_EQ(with("<Days>soon</Days>"), "MalformedXML") << name;
    EXPECT_EQ(with("<More/>"), "MalformedXML") << name;
  }
  std::string many;
  for (std::size_t i = 0; i < kMaxLifecycleRules; ++i) {
    many += rule(kOneDay);
  }
  const Reply most = set(many);
  EXPECT_EQ(most.status, 200) << most.body;
  EXPECT_EQ(refusal(many + rule(kOneDay)), "MalformedXML");
  EXPECT_EQ(code(send("PUT", "/absent?lifecycle", {}, {document(rule(kOneDay))})), "NoSuchBucket");
}

TEST_F(Lifecycle, DaysEndAtMidnight) {
  const std::int64_t midnight = 20'000 * kDay;
  EXPECT_EQ(due_seconds(midnight * kNs, 1, kDay), midnight + kDay);
  EXPECT_EQ(due_seconds(midnight * kNs + kNs, 1, kDay), midnight + 2 * kDay);
  EXPECT_EQ(due_seconds((midnight + kDay - 1) * kNs, 1, kDay), midnight + 2 * kDay);
  EXPECT_EQ(due_seconds(midnight * kNs + kNs, 3, 10), midnight + 1 + 30);
  EXPECT_GT(due_seconds(midnight * kNs, kMaxLifecycleDays, kDay), midnight);
}

TEST_F(Lifecycle, TheHeaderNamesTheFirstEnd) {
  ASSERT_EQ(set(rule("<ID>slow one</ID><Expiration><Days>5</Days></Expiration>") +
                rule("<ID>fast</ID>" + kOneDay, "<Filter><Prefix>tmp/</Prefix></Filter>") +
                rule("<ID>tagged</ID><Expiration><Date>2026-11-22</Date></Expiration>",
                     "<Filter><Tag><Key>a</Key><Value>1</Value></Tag></Filter>"))
                .status,
            200);
  const std::string slow = "expiry-date=\"Fri, 27 Nov 2026 00:00:00 GMT\", rule-id=\"slow%20one\"";
  const std::string fast = "expiry-date=\"Mon, 23 Nov 2026 00:00:00 GMT\", rule-id=\"fast\"";
  const std::string tagged = "expiry-date=\"Sun, 22 Nov 2026 00:00:00 GMT\", rule-id=\"tagged\"";
  EXPECT_EQ(put("k", "v").header("x-amz-expiration"), slow);
  EXPECT_EQ(put("tmp/k", "v").header("x-amz-expiration"), fast);
  EXPECT_EQ(put("tmp/t", "v", {{"x-amz-tagging", "a=1"}}).header("x-amz-expiration"), tagged);
  EXPECT_EQ(get("k").header("x-amz-expiration"), slow);
  EXPECT_EQ(head("tmp/k").header("x-amz-expiration"), fast);
  EXPECT_EQ(
      send("PUT", "/bucket/tmp/c", {{"x-amz-copy-source", "/bucket/k"}}).header("x-amz-expiration"),
      fast);
  const std::string id = start_upload("m");
  const std::string etag = put_part("m", id, 1, "0123456789").header("etag");
  EXPECT_EQ(complete("m", id, {{1, etag}}).header("x-amz-expiration"), slow);
  ASSERT_EQ(send("DELETE", "/bucket?lifecycle").status, 204);
  EXPECT_FALSE(get("k").has("x-amz-expiration"));
}

TEST_F(Lifecycle, ObjectsGoWhenTheirTimeHasCome) {
  ASSERT_EQ(set(rule("<ID>days</ID><Expiration><Days>2</Days></Expiration>",
                     "<Filter><Prefix>a/</Prefix></Filter>") +
                rule("<ID>date</ID><Expiration><Date>2026-11-23</Date></Expiration>",
                     "<Filter><Prefix>b/</Prefix></Filter>") +
                "<Rule><Filter/><Status>Disabled</Status>" + kOneDay + "</Rule>")
                .status,
            200);
  for (const char* key : {"a/1", "a/2", "b/1", "c"}) {
    ASSERT_EQ(put(key, "v").status, 200);
  }
  pass();
  EXPECT_EQ(expired, 0u);
  clock.seconds = 1'795'392'000 - 1;  // the last second before 2026-11-23
  pass();
  EXPECT_EQ(keys(), (Keys{"a/1", "a/2", "b/1", "c"}));
  clock.seconds += 1;
  pass();
  EXPECT_EQ(keys(), (Keys{"a/1", "a/2", "c"}));
  ASSERT_EQ(put("a/2", "younger").status, 200);
  clock.seconds += kDay;
  pass();
  EXPECT_EQ(keys(), (Keys{"a/2", "c"}));
  EXPECT_EQ(expired, 1u);
  EXPECT_EQ(log.lines, (Keys{"s3:ExpireObject bucket/b/1 lifecycle rule date",
                             "s3:ExpireObject bucket/a/1 lifecycle rule days"}));
  clock.seconds += 10 * kDay;
  pass();
  EXPECT_EQ(keys(), (Keys{"c"}));
}

TEST_F(Lifecycle, WithVersionsAMarkerComesAndNothingGoes) {
  ASSERT_EQ(send("PUT", "/bucket?versioning", {},
                 {"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"})
                .status,
            200);
  ASSERT_EQ(set(rule(kOneDay, "<Filter/>")).status, 200);
  const std::string old = put("k", "1").header("x-amz-version-id");
  const std::string last = put("k", "2").header("x-amz-version-id");
  EXPECT_TRUE(head("k").has("x-amz-expiration"));
  EXPECT_TRUE(send("HEAD", "/bucket/k?versionId=" + last).has("x-amz-expiration"));
  EXPECT_FALSE(send("HEAD", "/bucket/k?versionId=" + old).has("x-amz-expiration"));
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 1u);
  EXPECT_EQ(get("k").header("x-amz-delete-marker"), "true");
  EXPECT_EQ(send("GET", "/bucket/k?versionId=" + old).body, "1");
  EXPECT_EQ(send("GET", "/bucket/k?versionId=" + last).body, "2");
  const std::string listed = send("GET", "/bucket?versions").body;
  EXPECT_EQ(texts(listed, "VersionId").size(), 3u);
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 0u) << "a delete marker is no object";
  EXPECT_EQ(send("GET", "/bucket?versions").body, listed);
}

/// Deletes what a pass has just seen, before the pass does.
class Overtaken final : public outcrop::testing::ReferenceNamespace {
 public:
  using ReferenceNamespace::ReferenceNamespace;
  Task<ns::ListPage> list(std::string_view bucket, ns::ListRequest request) override {
    CO_TRY(ns::ListPage page, co_await ReferenceNamespace::list(bucket, std::move(request)));
    for (const ns::ListEntry& entry : page.entries) {
      CO_TRYV(co_await remove(bucket, entry.key, {}));
    }
    co_return page;
  }
};

TEST_F(Lifecycle, WhatOthersDeletedGetsNoSecondMarker) {
  ASSERT_EQ(set(rule(kOneDay, "<Filter/>")).status, 200);
  Overtaken fast(clock);
  ASSERT_TRUE(run_sync(fast.create_bucket("bucket", "")));
  ASSERT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::enabled)));
  auto writer = run_sync(fast.open_write("bucket", "k", 0)).value();
  ASSERT_TRUE(run_sync(fast.put("bucket", "k", std::move(writer), {})));
  clock.seconds += 3 * kDay;
  LifecycleJob job({.ns = fast, .settings = *settings, .clock = clock});
  EXPECT_TRUE(run_sync(job.pass()));
  EXPECT_EQ(job.expired(), 0u);
  EXPECT_EQ(run_sync(fast.list_versions("bucket", {})).value().entries.size(), 2u);
}

TEST_F(Lifecycle, FiltersByTagAndSize) {
  ASSERT_EQ(set(rule(kOneDay,
                     "<Filter><And><Tag><Key>a</Key><Value>1</Value></Tag>"
                     "<Tag><Key>b</Key><Value>2</Value></Tag></And></Filter>") +
                rule(kOneDay,
                     "<Filter><And><Prefix>size/</Prefix>"
                     "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>"
                     "<ObjectSizeLessThan>4</ObjectSizeLessThan></And></Filter>"))
                .status,
            200);
  ASSERT_EQ(put("both", "v", {{"x-amz-tagging", "a=1&b=2&c=3"}}).status, 200);
  ASSERT_EQ(put("one", "v", {{"x-amz-tagging", "a=1"}}).status, 200);
  ASSERT_EQ(put("other", "v", {{"x-amz-tagging", "a=1&b=3"}}).status, 200);
  for (const std::string size : {"1", "22", "333", "4444"}) {
    ASSERT_EQ(put("size/" + size.substr(0, 1), size).status, 200);
  }
  ASSERT_EQ(put("other-size", "22").status, 200);
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(keys(), (Keys{"one", "other", "other-size", "size/1", "size/4"}));
}

TEST_F(Lifecycle, ManyKeysAndOtherBuckets) {
  ASSERT_EQ(set(rule(kOneDay)).status, 200);
  ASSERT_EQ(send("PUT", "/untouched").status, 200);
  ASSERT_EQ(send("PUT", "/untouched/k", {}, {"v"}).status, 200);
  for (int i = 0; i < 2500; ++i) {
    ASSERT_EQ(put("k" + std::to_string(i), "v").status, 200);
  }
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 2500u);
  EXPECT_EQ(keys(), Keys{});
  EXPECT_EQ(send("GET", "/untouched/k").status, 200);
}

TEST_F(Lifecycle, UploadsAreGivenUp) {
  ASSERT_EQ(set(rule("<ID>up</ID>" + kAbort, "<Filter><Prefix>u/</Prefix></Filter>")).status, 200);
  const std::string old = start_upload("u/a");
  const std::string other = start_upload("v/a");
  clock.seconds += kDay;
  const std::string younger = start_upload("u/a");
  clock.seconds += 2 * kDay;
  ASSERT_EQ(put("u/object", "v").status, 200);
  pass();
  EXPECT_EQ(aborted, 1u);
  EXPECT_EQ(code(put_part("u/a", old, 1, "x")), "NoSuchUpload");
  EXPECT_EQ(put_part("u/a", younger, 1, "x").status, 200);
  EXPECT_EQ(put_part("v/a", other, 1, "x").status, 200);
  clock.seconds += 30 * kDay;
  pass();
  EXPECT_EQ(code(put_part("u/a", younger, 1, "x")), "NoSuchUpload");
  EXPECT_EQ(put_part("v/a", other, 1, "x").status, 200);
  EXPECT_EQ(get("u/object").status, 200);
}

TEST_F(Lifecycle, RulesThatAreChangedAreNotCarriedOutAnyMore) {
  const auto start = [&] {
    ASSERT_EQ(set(rule(kOneDay) + rule(kAbort)).status, 200);
    for (const char* key : {"a", "b", "c"}) {
      ASSERT_EQ(put(key, "v").status, 200);
    }
    clock.seconds += 10 * kDay;
  };
  start();
  log.after = [&] { EXPECT_EQ(send("DELETE", "/bucket?lifecycle").status, 204); };
  pass();
  EXPECT_EQ(keys(), (Keys{"b", "c"}));
  start();
  log.after = [&] { EXPECT_EQ(set(rule(kOneDay, "<Prefix>c</Prefix>")).status, 200); };
  pass();
  EXPECT_EQ(keys(), (Keys{"b", "c"}));
  pass();
  EXPECT_EQ(keys(), (Keys{"b"}));
  start();
  log.after = [&] {
    EXPECT_EQ(send("PUT", "/bucket?tagging", {}, {"<Tagging><TagSet/></Tagging>"}).status, 204);
  };
  pass();
  EXPECT_EQ(keys(), Keys{});  // nothing that concerns them
  // Tags are looked up first: rules may go meanwhile.
  ASSERT_EQ(set(rule(kOneDay, "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>")).status,
            200);
  ASSERT_EQ(put("t", "v", {{"x-amz-tagging", "k=v"}}).status, 200);
  clock.seconds += 10 * kDay;
  ns.after_look = [&] { EXPECT_EQ(send("DELETE", "/bucket?lifecycle").status, 204); };
  pass();
  ns.after_look = {};
  EXPECT_EQ(keys(), Keys{"t"});
  ASSERT_EQ(set(rule(kAbort)).status, 200);
  start_upload("u1");
  start_upload("u2");
  clock.seconds += 10 * kDay;
  log.after = [&] { EXPECT_EQ(send("DELETE", "/bucket?lifecycle").status, 204); };
  pass();
  EXPECT_EQ(aborted, 1u);
}

// Tags change no time, so a condition on the time does not keep what is no rule's any more.
TEST_F(Lifecycle, TagsThatAreChangedMeanwhileKeepTheObject) {
  ASSERT_EQ(set(rule(kOneDay, "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>")).status,
            200);
  ASSERT_EQ(put("t", "v", {{"x-amz-tagging", "k=v"}}).status, 200);
  clock.seconds += 10 * kDay;
  ns.after_look = [&] { EXPECT_TRUE(run_sync(ns.set_tags("bucket", "t", {{"keep", "1"}}, {}))); };
  pass();
  ns.after_look = {};
  EXPECT_EQ(expired, 0u);
  EXPECT_EQ(keys(), Keys{"t"});
  ASSERT_TRUE(run_sync(ns.set_tags("bucket", "t", {{"k", "v"}}, {})));
  pass();
  EXPECT_EQ(expired, 1u);
  EXPECT_EQ(keys(), Keys{});
}

// A bucket made anew has none of the settings of the one before, however its deletion went.
TEST_F(Lifecycle, SettingsGoWithTheirBucketWhenAnErrorComesBetween) {
  ASSERT_EQ(set(rule(kOneDay)).status, 200);
  ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(send("DELETE", "/bucket").status, 500);
  ASSERT_EQ(send("PUT", "/bucket").status, 200);
  EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
}

TEST_F(Lifecycle, DatesBeyondTheReachOfNanoseconds) {
  const auto dated = [](const std::string& date) {
    return rule("<ID>r</ID><Expiration><Date>" + date + "</Date></Expiration>");
  };
  for (const std::string year : {"2262", "2263", "2999", "9999"}) {
    const std::string date = year + "-12-31T00:00:00.000Z";
    ASSERT_EQ(set(dated(date)).status, 200) << date;
    EXPECT_EQ(texts(send("GET", "/bucket?lifecycle").body, "Date"), Keys{date});
    ASSERT_EQ(put("k", "v").status, 200);
    const std::string header = head("k").header("x-amz-expiration");
    EXPECT_NE(header.find("31 Dec " + year + " 00:00:00 GMT"), std::string::npos) << header;
    pass();
    EXPECT_EQ(keys(), Keys{"k"});
  }
}

TEST_F(Lifecycle, TheSmallestObjectOfTransitionsIsKept) {
  const std::string name = "x-amz-transition-default-minimum-object-size";
  const std::string varies = "varies_by_storage_class", fixed = "all_storage_classes_128K";
  const auto with = [&](const std::string& value) {
    return send("PUT", "/bucket?lifecycle", {{name, value}}, {document(rule(kOneDay))});
  };
  EXPECT_EQ(set(rule(kOneDay)).header(name), fixed);
  EXPECT_EQ(send("GET", "/bucket?lifecycle").header(name), fixed);
  EXPECT_EQ(with(varies).header(name), varies);
  EXPECT_EQ(send("GET", "/bucket?lifecycle").header(name), varies);
  EXPECT_EQ(code(with("128K")), "InvalidArgument");
  EXPECT_EQ(send("GET", "/bucket?lifecycle").header(name), varies);
  EXPECT_EQ(send("DELETE", "/bucket?lifecycle").status, 204);
  EXPECT_TRUE(meta.dump().empty());
  EXPECT_EQ(with(varies).status, 200);
  EXPECT_EQ(with(fixed).header(name), fixed);
  EXPECT_EQ(send("GET", "/bucket?lifecycle").header(name), fixed);
}

TEST_F(Lifecycle, AStopEndsAPass) {
  ASSERT_EQ(set(rule(kOneDay)).status, 200);
  ASSERT_EQ(put("k", "v").status, 200);
  clock.seconds += 3 * kDay;
  LifecycleJob job({.ns = ns, .settings = *settings, .clock = clock});
  job.stop();
  EXPECT_EQ(run_sync(job.pass()).error().code(), Errc::cancelled);
  EXPECT_EQ(keys(), (Keys{"k"}));
}

TEST_F(Lifecycle, ADayMayBeShortForTests) {
  ASSERT_EQ(set(rule(kOneDay)).status, 200);
  ASSERT_EQ(put("k", "v").status, 200);
  LifecycleJob job({.ns = ns, .settings = *settings, .clock = clock, .day_seconds = 10});
  clock.seconds += 9;
  ASSERT_TRUE(run_sync(job.pass()));
  EXPECT_EQ(keys(), (Keys{"k"}));
  clock.seconds += 1;
  ASSERT_TRUE(run_sync(job.pass()));
  EXPECT_EQ(keys(), Keys{});
}

}  // namespace
}  // namespace outcrop::s3::test
