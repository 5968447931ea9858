// Lifecycle rules about versions: those that are not current, and delete markers.
#include "api/s3/lifecycle.h"
#include "api/s3/lifecycle_job.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

constexpr std::int64_t kDay = kSecondsPerDay;
using Lines = std::vector<std::string>;

std::string rule(const std::string& fields, const std::string& filter = "<Filter/>") {
  return "<Rule><ID>r</ID>" + filter + "<Status>Enabled</Status>" + fields + "</Rule>";
}
std::string noncurrent(const std::string& days, const std::string& newer = "") {
  return "<NoncurrentVersionExpiration><NoncurrentDays>" + days + "</NoncurrentDays>" +
         (newer.empty() ? "" : "<NewerNoncurrentVersions>" + newer + "</NewerNoncurrentVersions>") +
         "</NoncurrentVersionExpiration>";
}
std::string markers(const std::string& value) {
  return "<Expiration><ExpiredObjectDeleteMarker>" + value +
         "</ExpiredObjectDeleteMarker></Expiration>";
}

struct Log final : audit::Sink {
  void record(const audit::Event& event) override {
    lines.push_back(std::string(event.action) + " " + std::string(event.resource) + " " +
                    std::string(event.reason));
  }
  Lines lines;
};

/// Does something between what a pass saw and what it does.
class Overtaken final : public outcrop::testing::ReferenceNamespace {
 public:
  using ReferenceNamespace::ReferenceNamespace;
  Task<ns::VersionPage> list_versions(std::string_view bucket,
                                      ns::VersionListRequest request) override {
    CO_TRY(ns::VersionPage page,
           co_await ReferenceNamespace::list_versions(bucket, std::move(request)));
    if (const auto once = std::exchange(overtake, nullptr)) {
      once();
    }
    co_return page;
  }
  std::function<void()> overtake;
};

class LifecycleVersions : public S3Test {
 protected:
  void versioning(const std::string& status) {
    ASSERT_EQ(
        send("PUT", "/bucket?versioning", {},
             {"<VersioningConfiguration><Status>" + status + "</Status></VersioningConfiguration>"})
            .status,
        200);
  }
  Reply set(const std::string& rules) {
    return send("PUT", "/bucket?lifecycle", {},
                {"<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>"});
  }
  std::string put_id(const std::string& key, const std::string& data, Headers headers = {}) {
    return put(key, data, std::move(headers)).header("x-amz-version-id");
  }
  std::string erase(const std::string& key) {
    return send("DELETE", "/bucket/" + key).header("x-amz-version-id");
  }
  void pass() { pass(ns); }
  void pass(ns::Namespace& in) {
    LifecycleJob job({.ns = in, .settings = *settings, .clock = clock, .audit = &log});
    EXPECT_TRUE(run_sync(job.pass()));
    expired = job.expired();
  }
  /// Ids of versions and markers as listed.
  Lines left() { return texts(send("GET", "/bucket?versions").body, "VersionId"); }
  Log log;
  std::uint64_t expired = 0;
};

TEST_F(LifecycleVersions, RoundTrip) {
  const std::string rules =
      "<Rule><ID>a</ID><Filter><Prefix>p/</Prefix></Filter><Status>Enabled</Status>"
      "<Expiration><Days>3</Days></Expiration>" +
      noncurrent("2", "100") +
      "</Rule><Rule><ID>b</ID><Prefix>q/</Prefix><Status>Disabled</Status>" + markers("true") +
      noncurrent("1") +
      "</Rule><Rule><ID>c</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>" +
      markers("false") + "</Rule>";
  const Reply stored = set(rules);
  ASSERT_EQ(stored.status, 200) << stored.body;
  const std::string back = send("GET", "/bucket?lifecycle").body;
  EXPECT_NE(back.find(rules), std::string::npos) << back;
}

TEST_F(LifecycleVersions, WhatIsRefused) {
  const std::string days = "<Days>1</Days>";
  const auto wrap = [](const std::string& fields) {
    return rule("<NoncurrentVersionExpiration>" + fields + "</NoncurrentVersionExpiration>");
  };
  const std::string one = "<NoncurrentDays>1</NoncurrentDays>";
  for (const std::string& bad :
       {wrap(""), wrap("<NewerNoncurrentVersions>1</NewerNoncurrentVersions>"), wrap(one + one),
        wrap(one + days), wrap(one + "<NewerNoncurrentVersions>x</NewerNoncurrentVersions>"),
        rule(noncurrent("x")), rule(noncurrent("2147483648")),
        rule(noncurrent("1") + noncurrent("1")), rule(markers("yes")),
        rule(markers("true") + markers("true")),
        rule("<Expiration>" + days +
             "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>")}) {
    EXPECT_EQ(code(set(bad)), "MalformedXML") << bad;
  }
  for (const std::string& bad : {rule(noncurrent("0")), rule(noncurrent("-1")),
                                 rule(noncurrent("1", "0")), rule(noncurrent("1", "101"))}) {
    EXPECT_EQ(code(set(bad)), "InvalidArgument") << bad;
  }
  for (const std::string filter :
       {"<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>",
        "<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>"}) {
    EXPECT_EQ(code(set(rule(markers("true"), filter))), "InvalidRequest") << filter;
    EXPECT_EQ(set(rule(noncurrent("1"), filter)).status, 200) << filter;
  }
  const std::string prefix = "<Prefix>p</Prefix>";
  EXPECT_EQ(code(set(rule(noncurrent("1", "1"), prefix))), "InvalidRequest");
  EXPECT_EQ(set(rule(noncurrent("1"), prefix)).status, 200);
  EXPECT_EQ(set(rule(noncurrent("2147483647", "100"))).status, 200);
}

TEST_F(LifecycleVersions, DaysCountFromWhenAVersionCeasedToBeCurrent) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("2"), "<Filter><Prefix>d/</Prefix></Filter>")).status, 200);
  const std::string old = put_id("d/k", "1"), other = put_id("e", "1");
  clock.seconds += 100 * kDay;
  const std::string current = put_id("d/k", "2"), current_other = put_id("e", "2");
  EXPECT_FALSE(head("d/k").has("x-amz-expiration"));
  clock.seconds += kDay;
  pass();
  EXPECT_EQ(expired, 0U);
  clock.seconds += 2 * kDay;
  pass();
  EXPECT_EQ(expired, 1U);
  EXPECT_EQ(left(), (Lines{current, current_other, other}));
  EXPECT_EQ(log.lines,
            (Lines{"s3:ExpireObjectVersion bucket/d/k lifecycle rule r, version " + old}));
  clock.seconds += 1000 * kDay;
  pass();
  EXPECT_EQ(expired, 0U) << "what is current is no business of the rule";
}

TEST_F(LifecycleVersions, SomeNewerOnesStay) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("1", "2"))).status, 200);
  Lines ids;
  for (int i = 0; i < 6; ++i) {
    ids.insert(ids.begin(), put_id("k", std::to_string(i)));
  }
  pass();
  EXPECT_EQ(left(), ids) << "not old enough";
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 3U);
  EXPECT_EQ(left(), Lines(ids.begin(), ids.begin() + 3));
  pass();
  EXPECT_EQ(expired, 0U);
}

TEST_F(LifecycleVersions, ADeleteMarkerGoesWithTheLastVersionBelowIt) {
  versioning("Enabled");
  put("k", "1");
  put("k", "2");
  const std::string marker = erase("k");
  clock.seconds += 5 * kDay;
  ASSERT_EQ(set(rule(markers("true"))).status, 200);
  pass();
  EXPECT_EQ(left().size(), 3U) << "versions are below it";
  ASSERT_EQ(set(rule(noncurrent("1") + markers("false"))).status, 200);
  pass();
  EXPECT_EQ(left(), Lines{marker});
  pass();
  EXPECT_EQ(left(), Lines{marker});
  ASSERT_EQ(set(rule(markers("true"))).status, 200);
  pass();
  EXPECT_EQ(left(), Lines{});
  EXPECT_EQ(log.lines.back(), "s3:ExpireDeleteMarker bucket/k lifecycle rule r, version " + marker);
  // In one pass.
  put("k", "1");
  erase("k");
  ASSERT_EQ(set(rule(noncurrent("1") + markers("true"))).status, 200);
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 2U);
  EXPECT_EQ(left(), Lines{});
}

TEST_F(LifecycleVersions, RulesWithDaysRemoveMarkersThatAreAlone) {
  versioning("Enabled");
  ASSERT_EQ(set(rule("<Expiration><Days>5</Days></Expiration>")).status, 200);
  const std::string alone = erase("a");
  put("b", "1");
  erase("b");
  clock.seconds += 4 * kDay;
  pass();
  EXPECT_EQ(expired, 0U);
  clock.seconds += 2 * kDay;
  pass();
  EXPECT_EQ(expired, 1U);
  EXPECT_EQ(left().size(), 2U);
  EXPECT_EQ(log.lines,
            (Lines{"s3:ExpireDeleteMarker bucket/a lifecycle rule r, version " + alone}));
}

TEST_F(LifecycleVersions, MarkersThatAreNotTheNewestAreVersions) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("2"))).status, 200);
  const std::string marker = erase("k");
  clock.seconds += 10 * kDay;
  const std::string current = put_id("k", "v");
  pass();
  EXPECT_EQ(left(), (Lines{current, marker}));
  clock.seconds += 4 * kDay;
  pass();
  EXPECT_EQ(left(), Lines{current});
}

// What is not dated ceased to be the newest when the next one came, whatever mtime that one has.
TEST_F(LifecycleVersions, WhatIsNotDatedCountsFromTheNextOne) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("2"))).status, 200);
  put("moved", "old");
  put("moved-too", "old");
  const std::string replaced = put_id("a", "1"), renamed = put_id("b", "1");
  const std::string marker = erase("c");
  clock.seconds += 10 * kDay;
  put("a", "2");
  for (const auto& [from, to] : {std::pair("moved", "b"), {"moved-too", "c"}}) {
    const std::string target = std::string("/bucket/") + to + "?renameObject";
    ASSERT_EQ(send("PUT", target, {{"x-amz-rename-source", from}}).status, 200);
  }
  for (const auto& v : run_sync(ns.list_versions("bucket", {})).value().entries) {
    if (!v.latest) {
      ns.forget_since("bucket", v.entry.key, v.number);
    }
  }
  const auto there = [&](const std::string& id) { return std::ranges::count(left(), id) == 1; };
  clock.seconds += kDay;
  pass();
  EXPECT_EQ(expired, 0U);
  EXPECT_TRUE(there(replaced) && there(renamed) && there(marker));
  clock.seconds += 2 * kDay;
  pass();
  EXPECT_FALSE(there(replaced) || there(renamed) || there(marker));
  EXPECT_EQ(get("a").body + get("b").body + get("c").body, "2oldold");
}

TEST_F(LifecycleVersions, AVersionWhoseTagsChangedMeanwhileStays) {
  versioning("Enabled");
  ASSERT_EQ(
      set(rule(noncurrent("1"), "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>")).status,
      200);
  const std::string old = put_id("k", "1", {{"x-amz-tagging", "k=v"}});
  put("k", "2");
  clock.seconds += 3 * kDay;
  ns.after_look = [&] { EXPECT_TRUE(run_sync(ns.set_tags("bucket", "k", old, {{"k", "w"}}, {}))); };
  pass();
  ns.after_look = {};
  EXPECT_EQ(expired, 0U);
  EXPECT_EQ(left().size(), 2U);
  EXPECT_TRUE(run_sync(ns.set_tags("bucket", "k", old, {{"k", "v"}}, {})));
  pass();
  EXPECT_EQ(expired, 1U);
}

TEST_F(LifecycleVersions, FiltersLookAtTheVersion) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("1"),
                     "<Filter><And><Tag><Key>k</Key><Value>v</Value></Tag>"
                     "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>"))
                .status,
            200);
  const std::string small = put_id("k", "1", {{"x-amz-tagging", "k=v"}});
  const std::string tagged = put_id("k", "22", {{"x-amz-tagging", "k=v"}});
  const std::string plain = put_id("k", "33");
  const std::string marker = erase("k");
  const std::string current = put_id("k", "44", {{"x-amz-tagging", "k=v"}});
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 1U);
  EXPECT_EQ(left(), (Lines{current, marker, plain, small}));
}

TEST_F(LifecycleVersions, ManyVersionsOverManyPages) {
  versioning("Enabled");
  ASSERT_EQ(set(rule(noncurrent("1", "1") + markers("true"))).status, 200);
  for (int i = 0; i < 1500; ++i) {
    put("k", "v");
    put("l" + std::to_string(i), "v");
  }
  erase("l7");
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(expired, 1498U);
  EXPECT_EQ(left().size(), 1000U);
}

TEST_F(LifecycleVersions, BucketsWithoutVersionsAreLeftAlone) {
  ASSERT_EQ(set(rule(noncurrent("1") + markers("true"))).status, 200);
  put("k", "1");
  put("k", "2");
  clock.seconds += 30 * kDay;
  pass();
  EXPECT_EQ(expired, 0U);
  EXPECT_EQ(get("k").body, "2");
}

TEST_F(LifecycleVersions, SuspendedBucketsAreServed) {
  put("k", "null");
  versioning("Enabled");
  const std::string current = put_id("k", "2");
  versioning("Suspended");
  ASSERT_EQ(set(rule(noncurrent("1"))).status, 200);
  clock.seconds += 3 * kDay;
  pass();
  EXPECT_EQ(left(), Lines{current});
}

class LifecycleRaces : public LifecycleVersions {
 protected:
  LifecycleRaces() {
    EXPECT_TRUE(run_sync(fast.create_bucket("bucket", "")));
    EXPECT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::enabled)));
    EXPECT_EQ(set(rule(noncurrent("1") + markers("true"))).status, 200);
  }
  std::string make(std::string key) {
    auto writer = run_sync(fast.open_write("bucket", key, 0)).value();
    return run_sync(fast.put("bucket", key, std::move(writer), {})).value().version_id;
  }
  void remove(const std::string& id) {
    ASSERT_TRUE(run_sync(fast.remove_version("bucket", "k", id, {})));
  }
  std::size_t count() { return run_sync(fast.list_versions("bucket", {})).value().entries.size(); }
  Overtaken fast{clock};
};

TEST_F(LifecycleRaces, AVersionThatIsCurrentAgainStays) {
  make("k");
  const std::string newest = make("k");
  clock.seconds += 3 * kDay;
  fast.overtake = [&] { remove(newest); };
  pass(fast);
  EXPECT_EQ(expired, 0U);
  EXPECT_EQ(count(), 1U);
}

TEST_F(LifecycleRaces, AMarkerThatIsNotAloneStays) {
  ASSERT_TRUE(run_sync(fast.remove_version("bucket", "k", "", {})));
  clock.seconds += 3 * kDay;
  fast.overtake = [&] { make("k"); };
  pass(fast);
  EXPECT_EQ(expired, 0U);
  EXPECT_EQ(count(), 2U);
}

TEST_F(LifecycleRaces, AnotherNullVersionStays) {
  ASSERT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::suspended)));
  make("k");
  ASSERT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::enabled)));
  make("k");
  clock.seconds += 3 * kDay;
  fast.overtake = [&] {
    ASSERT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::suspended)));
    make("k");
    ASSERT_TRUE(run_sync(fast.put_versioning("bucket", ns::Versioning::enabled)));
    make("k");
  };
  pass(fast);
  EXPECT_EQ(expired, 0U);
  EXPECT_EQ(count(), 3U);
}

TEST_F(LifecycleRaces, WhatOthersRemovedIsNotCounted) {
  const std::string old = make("k");
  make("k");
  clock.seconds += 3 * kDay;
  fast.overtake = [&] { remove(old); };
  pass(fast);
  EXPECT_EQ(expired, 0U);
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace outcrop::s3::test
