// Versions: what becomes of a key that is replaced or deleted, of the directories above it, and of
// the payload.
#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/version_record.h"
#include "tests/unit/storage/ns/version_fixture.h"

namespace outcrop::ns {
namespace {

TEST_F(VersionTest, WhatIsReplacedStays) {
  const std::string first = put("k", "1").version_id;
  const std::string second = put("k", "2").version_id;
  EXPECT_NE(first, second);
  EXPECT_EQ(get("k").value(), "2");
  EXPECT_EQ(get_version("k", first).value(), "1");
  EXPECT_EQ(get_version("k", second).value(), "2");
  EXPECT_EQ(versions(), (Lines{"k=2*", "k=1"}));
  EXPECT_EQ(names(), Lines{"k"});
}

TEST_F(VersionTest, TagsBelongToVersions) {
  const ObjectInfo first = put("d/k", "1");
  must(ns->set_tags("b", "d/k", {{"n", "1"}}, {}));
  const ObjectInfo second = put("d/k", "2");
  must(ns->set_tags("b", "d/k", {{"n", "2"}}, {}));
  const auto tags = [this](const std::string& id) {
    return must(ns->stat("b", "d/k", id)).attributes.tags;
  };
  EXPECT_EQ(tags(first.version_id), (StringPairs{{"n", "1"}}));
  const ObjectInfo changed = must(ns->set_tags("b", "d/k", first.version_id, {{"n", "3"}}, {}));
  EXPECT_EQ(changed.version_id, first.version_id);
  EXPECT_EQ(changed.mtime_ns, first.mtime_ns);
  EXPECT_FALSE(changed.current);
  const Deletion deleted = erase("d/k");  // and the directory leaves the tree
  EXPECT_EQ(code(run(ns->set_tags("b", "d/k", {}, {}))), Errc::key_deleted);
  EXPECT_EQ(code(run(ns->set_tags("b", "d/k", deleted.version_id, {}, {}))), Errc::delete_marker);
  EXPECT_EQ(code(run(ns->set_tags("b", "d/k", "null", {}, {}))), Errc::no_such_version);
  must(ns->set_tags("b", "d/k", second.version_id, {{"n", "4"}}, {}));
  EXPECT_EQ(tags(first.version_id), (StringPairs{{"n", "3"}}));
  EXPECT_EQ(tags(second.version_id), (StringPairs{{"n", "4"}}));
  EXPECT_EQ(versions(), (Lines{"d/k!*", "d/k=2", "d/k=1"}));
  erase("d/k", deleted.version_id);
  EXPECT_EQ(must(ns->stat("b", "d/k")).attributes.tags, (StringPairs{{"n", "4"}}));
}

TEST_F(VersionTest, DeletingWhatMustBeThereMarksNothing) {
  Conditions there;
  there.must_exist = true;
  EXPECT_EQ(code(run(ns->remove_version("b", "a/k", {}, there))), Errc::no_such_key);
  put("k", "1");
  EXPECT_TRUE(must(ns->remove_version("b", "k", {}, there)).marker);
  EXPECT_EQ(code(run(ns->remove_version("b", "k", {}, there))), Errc::no_such_key);
  EXPECT_EQ(versions(), (Lines{"k!*", "k=1"}));
}

TEST_F(VersionTest, OnlyWhatHasTheTagsThatWereSeenGoes) {
  const std::string old = put("k", "1").version_id;
  put("k", "2");
  must(ns->set_tags("b", "k", {{"n", "2"}}, {}));
  Conditions seen;
  seen.tags = StringPairs{{"n", "1"}};
  EXPECT_EQ(code(run(ns->remove_version("b", "k", {}, seen))), Errc::conflict);
  EXPECT_EQ(code(run(ns->remove_version("b", "k", old, seen))), Errc::conflict);
  EXPECT_EQ(versions(), (Lines{"k=2*", "k=1"}));
  must(ns->set_tags("b", "k", old, *seen.tags, {}));
  EXPECT_TRUE(must(ns->remove_version("b", "k", old, seen)).found);
  must(ns->set_tags("b", "k", *seen.tags, {}));
  EXPECT_TRUE(must(ns->remove_version("b", "k", {}, seen)).marker);
  EXPECT_FALSE(must(ns->remove_version("b", "never", {}, seen)).found);  // none is no other
}

TEST_F(VersionTest, DeleteMakesAMarker) {
  put("k", "1");
  const Deletion deleted = erase("k");
  EXPECT_TRUE(deleted.found);
  EXPECT_TRUE(deleted.marker);
  const auto missing = get("k");
  EXPECT_EQ(code(missing), Errc::key_deleted);
  EXPECT_EQ(missing.error().detail(), deleted.version_id);
  EXPECT_EQ(code(get_version("k", deleted.version_id)), Errc::delete_marker);
  EXPECT_EQ(versions(), (Lines{"k!*", "k=1"}));
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(code(run(ns->delete_bucket("b"))), Errc::bucket_not_empty);
  const Deletion undone = erase("k", deleted.version_id);
  EXPECT_TRUE(undone.marker);
  EXPECT_EQ(get("k").value(), "1");
  EXPECT_EQ(versions(), Lines{"k=1*"});
}

TEST_F(VersionTest, ADeletedKeyIsExplainedWhenMirrorsAreLost) {
  put("k", "1");
  erase("k");
  for (unsigned lost = 1; lost <= 2; ++lost) {
    meta.fail_scans(Errc::unavailable, lost);
    EXPECT_EQ(code(get("k")), Errc::key_deleted) << lost << " mirrors lost, one after the other";
  }
  meta.fail_scans(Errc::unavailable, 1000);
  EXPECT_EQ(code(get("k")), Errc::unavailable);
  meta.fail_scans(Errc::corrupt, 1);
  EXPECT_EQ(code(get("k")), Errc::corrupt) << "damage is told, not tried over";
}

TEST_F(VersionTest, MarkersOfWhatNeverWas) {
  EXPECT_FALSE(erase("a/b/c").found);
  EXPECT_FALSE(erase("a/b/c").found);
  EXPECT_EQ(versions(), (Lines{"a/b/c!*", "a/b/c!"}));
  EXPECT_TRUE(names().empty());
  EXPECT_FALSE(run(fs().lookup(top, "a"))) << "a directory of markers only does not exist";
  put("a/b/d", "d");
  EXPECT_TRUE(run(fs().lookup(top, "a")));
  erase("a/b/d", must(ns->stat("b", "a/b/d")).version_id);
  EXPECT_FALSE(run(fs().lookup(top, "a")));
}

TEST_F(VersionTest, TheNewestThatIsLeftIsCurrent) {
  std::vector<std::string> ids;
  for (const char* data : {"1", "2", "3"}) {
    ids.push_back(put("d/k", data).version_id);
  }
  erase("d/k", ids[2]);
  EXPECT_EQ(get("d/k").value(), "2");
  erase("d/k", ids[0]);
  EXPECT_EQ(versions(), Lines{"d/k=2*"});
  EXPECT_FALSE(erase("d/k", ids[0]).found) << "gone already";
  const Deletion marker = erase("d/k");
  erase("d/k", ids[1]);
  EXPECT_EQ(versions(), Lines{"d/k!*"});
  erase("d/k", marker.version_id);
  EXPECT_TRUE(versions().empty());
  must(ns->delete_bucket("b"));
  must(ns->create_bucket("b", ""));
}

TEST_F(VersionTest, NullVersions) {
  must(ns->create_bucket("c", ""));
  must(put_task("c", "k", "old"));
  EXPECT_EQ(must(ns->stat("c", "k")).version_id, "");
  must(ns->put_versioning("c", Versioning::enabled));
  EXPECT_EQ(must(ns->stat("c", "k", "null")).version_id, "null");
  const std::string id = must(put_task("c", "k", "new")).version_id;
  EXPECT_EQ(must(ns->stat("c", "k", "null")).size, 3U);
  must(ns->put_versioning("c", Versioning::suspended));
  EXPECT_EQ(must(put_task("c", "k", "suspended")).version_id, "null");
  EXPECT_EQ(must(ns->stat("c", "k", "null")).size, 9U) << "it replaces the one from before";
  must(put_task("c", "k", "again"));
  VersionPage page = must(ns->list_versions("c", {}));
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries[0].version_id, "null");
  EXPECT_EQ(page.entries[1].version_id, id);
  const Deletion deleted = must(ns->remove_version("c", "k", {}, {}));
  EXPECT_EQ(deleted.version_id, "null");
  page = must(ns->list_versions("c", {}));
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_TRUE(page.entries[0].marker) << "the null marker replaces the null version";
  must(ns->put_versioning("c", Versioning::enabled));
  must(put_task("c", "k", "last"));
  EXPECT_EQ(must(ns->list_versions("c", {})).entries.size(), 3U);
  EXPECT_TRUE(must(ns->remove_version("c", "k", "null", {})).marker);
}

TEST_F(VersionTest, IdsThatNeverWere) {
  put("k", "1");
  EXPECT_EQ(code(get_version("k", "bogus")), Errc::invalid_argument);
  EXPECT_EQ(code(get_version("k", version_text({1, false}))), Errc::no_such_version);
  EXPECT_EQ(code(get_version("k", "null")), Errc::no_such_version);
  EXPECT_EQ(code(get_version("absent", version_text({1, false}))), Errc::no_such_version);
  EXPECT_EQ(code(run(ns->remove_version("b", "k", "00", {}))), Errc::invalid_argument);
}

TEST_F(VersionTest, ConditionsLookAtTheCurrentVersion) {
  PutRequest fresh;
  fresh.conditions.if_none_match = "*";
  put("k", "1", fresh);
  EXPECT_EQ(code(run(put_task("b", "k", "2", fresh))), Errc::precondition_failed);
  erase("k");
  EXPECT_FALSE(put("k", "2", fresh).version_id.empty()) << "a delete marker is no object";
  PutRequest match;
  match.conditions.if_match = "*";
  erase("k");
  EXPECT_EQ(code(run(put_task("b", "k", "3", match))), Errc::no_such_key);
}

TEST_F(VersionTest, ConditionsOfADeleteLookAtTheVersionIfItIsThere) {
  const auto remove = [this](const std::string& id, const std::string& etag) {
    Conditions conditions;
    conditions.if_match = etag;
    return run(ns->remove_version("b", "d/k", id, std::move(conditions)));
  };
  PutRequest first, second;
  first.etag = "one";
  second.etag = "two";
  const ObjectInfo old = put("d/k", "1", first), current = put("d/k", "2", second);
  EXPECT_EQ(code(remove(old.version_id, current.etag)), Errc::precondition_failed);
  EXPECT_EQ(code(remove(current.version_id, old.etag)), Errc::precondition_failed);
  EXPECT_EQ(versions(), (Lines{"d/k=2*", "d/k=1"}));
  EXPECT_TRUE(remove(old.version_id, old.etag).value().found);
  EXPECT_FALSE(remove(old.version_id, old.etag).value().found);
  EXPECT_TRUE(remove(current.version_id, "*").value().found);
  for (const std::string& gone : {old.version_id, current.version_id, std::string("null")}) {
    EXPECT_FALSE(remove(gone, "*").value().found) << gone;
  }
  EXPECT_EQ(code(remove("", "*")), Errc::no_such_key);
  EXPECT_EQ(versions(), Lines{});
}

TEST_F(VersionTest, CopiesFromAVersionAndOntoItself) {
  const std::string first = put("k", std::string(300'000, '1')).version_id;
  put("k", "2");
  CopyRequest copy;
  copy.source_bucket = "b";
  copy.source_key = "k";
  copy.source_version = first;
  must(ns->copy("b", "d/c", copy));
  EXPECT_EQ(get("d/c").value(), std::string(300'000, '1'));
  must(ns->copy("b", "k", copy));  // restored
  EXPECT_EQ(get("k").value(), std::string(300'000, '1'));
  EXPECT_EQ(must(ns->list_versions("b", {.prefix = "k"})).entries.size(), 3U);
  copy.source_version.clear();
  copy.replace = ObjectAttributes{.content_type = "text/x", .headers = {}, .user_meta = {}};
  const ObjectInfo itself = must(ns->copy("b", "k", copy));
  EXPECT_EQ(must(ns->list_versions("b", {.prefix = "k"})).entries.size(), 4U);
  EXPECT_EQ(itself.attributes.content_type, "text/x");
  erase("k", first);
  blobs.collect();
  EXPECT_EQ(get("d/c").value(), std::string(300'000, '1'));
  EXPECT_EQ(get("k").value(), std::string(300'000, '1'));
}

TEST_F(VersionTest, PayloadGoesWithItsLastVersion) {
  const std::string id = put("k", std::string(400'000, 'a')).version_id;
  put("k", "small");
  blobs.collect();
  EXPECT_EQ(get_version("k", id).value().size(), 400'000U);
  erase("k", id);
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0U);
}

TEST_F(VersionTest, OldVersionsAreMovedOutOfTheirSegments) {
  const std::string id = put("d/k", std::string(400'000, 'a')).version_id;
  erase("d/k");
  blobs.next_segment();
  std::uint64_t owners = 0;
  for (const SegmentId segment : blobs.old_segments()) {
    for (bool finished = false; !finished;) {
      const Relocated moved = must(ns->relocate(segment, 100'000, segment::Purpose::upkeep));
      owners += moved.owners;
      EXPECT_EQ(moved.left_behind, 0U);
      finished = moved.finished;
    }
  }
  EXPECT_GT(owners, 0U);
  blobs.collect();
  EXPECT_EQ(get_version("d/k", id).value(), std::string(400'000, 'a'));
}

TEST_F(VersionTest, RenamesKeepTheHistoryOfBothKeys) {
  put("from", "f1");
  put("from", "f2");
  put("to", "t1");
  EXPECT_EQ(must(ns->rename("b", "from", "to")), must(ns->stat("b", "to")).version_id);
  EXPECT_EQ(must(ns->rename("b", "to", "to")), must(ns->stat("b", "to")).version_id);
  EXPECT_EQ(versions(), (Lines{"from!*", "from=f2", "from=f1", "to=f2*", "to=t1"}));
  put("d/x", "1");
  put("d/x", "2");
  put("d/y", "y");
  erase("d/y");
  EXPECT_EQ(must(ns->rename("b", "d/", "e/")), "");
  EXPECT_EQ(versions({.prefix = "e/"}), (Lines{"e/x=2*", "e/x=1", "e/y!*", "e/y=y"}));
  EXPECT_TRUE(versions({.prefix = "d/"}).empty());
  put("g/z", "z");
  erase("g/z");
  EXPECT_EQ(code(run(ns->rename("b", "e/", "g/"))), Errc::already_exists)
      << "the versions below g/ are not those of e/";
}

TEST_F(VersionTest, ListingsArePagedExactly) {
  for (const char* key : {"a", "a", "a/b", "a/b", "a/c/d", "a-", "z"}) {
    put(key, "x");
  }
  erase("a/b");
  erase("nope/n");
  const Lines all = versions();
  EXPECT_EQ(all, (Lines{"a=x*", "a=x", "a-=x*", "a/b!*", "a/b=x", "a/b=x", "a/c/d=x*", "nope/n!*",
                        "z=x*"}));
  const auto paged = [&](VersionListRequest request) {
    Lines out;
    for (;;) {
      const VersionPage page = must(ns->list_versions("b", request));
      for (const VersionEntry& e : page.entries) {
        out.push_back(e.entry.key + ":" + e.version_id + (e.latest ? "*" : ""));
      }
      if (!page.truncated) {
        return out;
      }
      request.key_marker = page.entries.back().entry.key;
      request.version_marker = page.next_version_marker;
    }
  };
  for (const std::string& delimiter : {"", "/", "b"}) {
    const Lines whole = paged({.delimiter = delimiter});
    for (const std::size_t most : {1, 2, 3, 5}) {
      EXPECT_EQ(paged({.delimiter = delimiter, .max_keys = most}), whole) << delimiter << most;
    }
  }
  EXPECT_EQ(versions({.delimiter = "/"}), (Lines{"a=x*", "a=x", "a-=x*", "a/", "nope/", "z=x*"}));
}

TEST(VersionSpace, AFullStoreMakesNoVersionsAndNoMarkersOfNothing) {
  std::uint64_t free_files = 1;
  NamespaceConfig config;
  config.space = [&] { return FileSystemSpace{1 << 20, 1 << 20, 1000, free_files}; };
  test::FileFixture f(config);
  f.put("s", "1");
  f.must(f.ns->put_versioning("b", Versioning::enabled));
  const FileId file = f.file("d/k", "1");
  f.must(f.ns->remove_version("b", "s", {}, {}));
  free_files = 0;
  const auto refused = [](const auto& result) {
    return !result && result.error().code() == Errc::no_space;
  };
  const auto erase = [&f](std::string_view key, std::string_view id = {}) {
    return f.run(f.ns->remove_version("b", key, id, {}));
  };
  EXPECT_TRUE(refused(erase("absent")));
  EXPECT_TRUE(refused(erase("x/y/absent")));
  EXPECT_TRUE(refused(f.try_write(file, 0, "2")));
  SetAttributes cut;
  cut.size = 0;
  EXPECT_TRUE(refused(f.run(f.fs().set_attributes(file, cut, std::nullopt))));
  EXPECT_TRUE(refused(f.run(f.ns->rename("b", "d/k", "m"))));
  EXPECT_EQ(f.get("d/k").value(), "1");
  const auto marker = erase("d/k");
  ASSERT_TRUE(marker);
  EXPECT_TRUE(refused(erase("d/k"))) << "a marker upon a marker";
  EXPECT_TRUE(erase("d/k", marker->version_id));
  EXPECT_EQ(f.get("d/k").value(), "1");
  f.must(f.ns->put_versioning("b", Versioning::suspended));
  EXPECT_TRUE(erase("s")) << "its marker takes the place of the null version";
  EXPECT_TRUE(erase("s")) << "and of itself";
  EXPECT_EQ(f.must(f.ns->list_versions("b", {.prefix = "s"})).entries.size(), 2U);
  f.expect_clean();
}

TEST(UnversionedTest, NothingIsStoredForVersions) {
  test::NamespaceFixture f;
  f.must(f.ns->create_bucket("b", ""));
  f.put("d/k", "1");
  EXPECT_EQ(f.put("d/k", "2").version_id, "");
  f.must(f.ns->remove("b", "d/k", {}));
  const std::string all = meta::table_key(meta::Table::version);
  EXPECT_TRUE(
      f.must(f.meta.scan({.lower = all, .upper = meta::prefix_end(all)}, {})).entries.empty());
  EXPECT_EQ(encode(BucketRecord{.root = 2})[0], 1) << "readable by what knows no versions";
  EXPECT_EQ(f.must(f.ns->list_versions("b", {})).entries.size(), 0U);
  f.put("k", "1");
  const VersionPage page = f.must(f.ns->list_versions("b", {}));
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].version_id, "null");
  EXPECT_TRUE(page.entries[0].latest);
  EXPECT_TRUE(f.must(f.ns->remove_version("b", "k", "null", {})).found);
  f.expect_clean();
}

}  // namespace
}  // namespace outcrop::ns
