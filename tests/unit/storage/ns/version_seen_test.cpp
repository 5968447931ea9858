// Deletes of versions on the condition that they are still what a listing showed.
#include <gtest/gtest.h>

#include "tests/support/file_fixture.h"
#include "tests/support/version_times.h"

namespace outcrop::ns {
namespace {

class SeenVersionTest : public ::testing::Test, protected test::FileFixture {
 protected:
  SeenVersionTest() { must(ns->put_versioning("b", Versioning::enabled)); }
  ~SeenVersionTest() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
  }
  std::vector<VersionEntry> versions() { return must(ns->list_versions("b", {})).entries; }
  /// internal: it was removed; no_such_version: there was nothing.
  Errc remove(const VersionEntry& seen, bool alone, ExpectedTags tags = {}) {
    Conditions conditions;
    conditions.tags = std::move(tags);
    conditions.seen = SeenVersion{.number = seen.number, .since_ns = seen.since_ns, .alone = alone};
    const auto done =
        run(ns->remove_version("b", seen.entry.key, seen.version_id, std::move(conditions)));
    if (!done) {
      return done.error().code();
    }
    return done->found ? Errc::internal : Errc::no_such_version;
  }
  void set_mtime(FileId id, std::int64_t mtime_ns) {
    SetAttributes set;
    set.mtime_ns = mtime_ns;
    must(fs().set_attributes(id, set));
  }
  static PutRequest tagged(std::string value) {
    PutRequest out;
    out.attributes.tags = {{"t", std::move(value)}};
    return out;
  }
  /// All records are as those of version 1. How many were not.
  std::size_t forget_times() {
    meta::Batch batch = test::forget_times(meta, [](const auto&, const auto&) { return true; });
    const std::size_t count = batch.mutations.size();
    must(meta.commit(std::move(batch)));
    return count;
  }
  static constexpr std::int64_t kStart = 1'700'000'000'000'000'000;
  void erase(std::string key) { must(ns->remove_version("b", key, {}, {})); }
};

TEST_F(SeenVersionTest, TheTimeIsWhenItCeasedToBeCurrent) {
  put("d/old", "1");
  put("d/k", "1");
  EXPECT_FALSE(versions()[0].since_ns);
  const std::int64_t before = versions()[1].entry.mtime_ns;
  clock.advance(100);
  must(ns->rename("b", "d/old", "d/k"));  // what comes is as old as what was there
  const auto after = versions();
  ASSERT_EQ(after.size(), 4U);
  EXPECT_FALSE(after[0].since_ns);
  EXPECT_GE(after[1].since_ns, before + 100'000'000'000);
  EXPECT_TRUE(after[2].marker);
  EXPECT_FALSE(after[2].since_ns);
  EXPECT_GE(after[3].since_ns, before + 100'000'000'000);
  const ObjectInfo renamed = must(ns->stat("b", "d/k"));
  EXPECT_LE(renamed.mtime_ns, before);
  EXPECT_GE(renamed.changed_ns, before + 100'000'000'000) << "when it came";
}

TEST_F(SeenVersionTest, ATimeThatAFileClientSetsIsNotThat) {
  const FileId id = file("k", "1");
  set_mtime(id, 5);
  put("k", "2");
  EXPECT_EQ(versions()[1].entry.mtime_ns, 5);
  EXPECT_GE(versions()[1].since_ns, kStart);
  const FileId later = {root, must(ns->stat("b", "k")).ino};
  set_mtime(later, 6);
  EXPECT_EQ(must(ns->stat("b", "k")).mtime_ns, 6);
  EXPECT_GE(must(ns->stat("b", "k")).changed_ns, kStart);
}

// A record from before records had the time.
TEST_F(SeenVersionTest, VersionsWithoutATimeAreReadAndGo) {
  put("d/k", "1", tagged("a"));
  put("d/k", "2");
  const VersionEntry dated = versions()[1];
  ASSERT_TRUE(dated.since_ns);
  EXPECT_EQ(forget_times(), 1U);
  expect_clean();
  const VersionEntry undated = versions()[1];
  EXPECT_FALSE(undated.since_ns);
  EXPECT_EQ(undated.version_id, dated.version_id);
  EXPECT_EQ(undated.entry.etag, dated.entry.etag);
  EXPECT_EQ(must(ns->stat("b", "d/k", undated.version_id)).attributes.tags,
            tagged("a").attributes.tags);
  EXPECT_EQ(remove(dated, false), Errc::precondition_failed);
  EXPECT_EQ(remove(undated, false), Errc::internal);
  EXPECT_EQ(versions().size(), 1U);
}

// It was current again meanwhile, which gives it a time.
TEST_F(SeenVersionTest, VersionsWithoutATimeGetOneWhenTheyAreReplacedAgain) {
  put("k", "1");
  put("k", "2");
  EXPECT_EQ(forget_times(), 1U);
  const auto seen = versions();
  must(ns->remove_version("b", "k", seen[0].version_id, {}));
  EXPECT_EQ(get("k").value(), "1");
  put("k", "3");
  EXPECT_EQ(versions()[1].version_id, seen[1].version_id);
  EXPECT_TRUE(versions()[1].since_ns);
  EXPECT_EQ(remove(seen[1], false), Errc::precondition_failed);
}

TEST_F(SeenVersionTest, TagsThatChangedMeanwhileKeepIt) {
  put("k", "1", tagged("a"));
  put("k", "2");
  const VersionEntry old = versions()[1];
  must(ns->set_tags("b", "k", old.version_id, {{"t", "b"}}, {}));
  EXPECT_EQ(remove(old, false, StringPairs{{"t", "a"}}), Errc::conflict);
  EXPECT_EQ(remove(old, false, StringPairs{{"t", "b"}}), Errc::internal);
}

// What a client has open is not the version that goes.
TEST_F(SeenVersionTest, OpenFilesAreReadOn) {
  const std::string content(300'000, 'o');
  const FileId id = file("d/k", content);
  const OpenHoldPtr open = must(fs().hold(id));
  put("d/k", "new");
  const VersionEntry old = versions()[1];
  EXPECT_EQ(remove(old, false), Errc::internal);
  blobs.collect();
  EXPECT_TRUE(test::same(read(id, 0, content.size()), content));
}

TEST_F(SeenVersionTest, WhatIsNotCurrentGoes) {
  put("d/k", "1");
  put("d/k", "2");
  const auto seen = versions();
  EXPECT_EQ(remove(seen[0], false), Errc::precondition_failed) << "it is current";
  EXPECT_EQ(remove(seen[1], true), Errc::precondition_failed) << "it is no marker";
  VersionEntry other = seen[1];
  ++*other.since_ns;
  EXPECT_EQ(remove(other, false), Errc::precondition_failed);
  EXPECT_EQ(remove(seen[1], false), Errc::internal);
  EXPECT_EQ(remove(seen[1], false), Errc::no_such_version);
  EXPECT_EQ(versions().size(), 1U);
}

TEST_F(SeenVersionTest, WhatIsCurrentAgainStays) {
  put("k", "1");
  put("k", "2");
  const auto seen = versions();
  must(ns->remove_version("b", "k", seen[0].version_id, {}));
  EXPECT_EQ(remove(seen[1], false), Errc::precondition_failed);
  EXPECT_EQ(get("k").value(), "1");
}

TEST_F(SeenVersionTest, MarkersThatAreAlone) {
  put("d/k", "1");
  erase("d/k");
  const auto seen = versions();
  EXPECT_EQ(remove(seen[0], true), Errc::precondition_failed) << "a version is below it";
  EXPECT_EQ(remove(seen[0], false), Errc::precondition_failed) << "it is the newest";
  EXPECT_EQ(remove(seen[1], false), Errc::internal);
  put("d/k", "2");
  EXPECT_EQ(remove(seen[0], true), Errc::precondition_failed) << "an object is above it";
  must(ns->remove_version("b", "d/k", versions()[0].version_id, {}));
  EXPECT_EQ(remove(seen[0], true), Errc::internal);
  EXPECT_TRUE(versions().empty());
}

TEST_F(SeenVersionTest, NullVersionsAreToldApart) {
  must(ns->put_versioning("b", Versioning::suspended));
  put("k", "1");
  must(ns->put_versioning("b", Versioning::enabled));
  put("k", "2");
  const VersionEntry first = versions()[1];
  EXPECT_EQ(first.version_id, "null");
  clock.advance(1);
  must(ns->put_versioning("b", Versioning::suspended));
  put("k", "3");
  EXPECT_EQ(remove(first, false), Errc::precondition_failed) << "the null version is current";
  must(ns->put_versioning("b", Versioning::enabled));
  put("k", "4");
  EXPECT_EQ(remove(first, false), Errc::precondition_failed) << "another one";
  EXPECT_EQ(versions().size(), 3U);
}

TEST(SeenVersionUnversioned, NothingGoesInABucketWithoutVersions) {
  test::FileFixture fixture;
  fixture.put("k", "1");
  Conditions conditions;
  conditions.seen = SeenVersion{};
  EXPECT_FALSE(
      fixture.must(fixture.ns->remove_version("b", "k", "null", std::move(conditions))).found);
  EXPECT_EQ(fixture.get("k").value(), "1");
}

}  // namespace
}  // namespace outcrop::ns
