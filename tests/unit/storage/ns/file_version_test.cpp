// Versions that file clients make: sessions of writing, open files, files with several names, and
// what is no key.
#include "storage/meta/tables.h"
#include "storage/ns/history.h"
#include "storage/ns/hold_table.h"
#include "tests/unit/storage/ns/version_fixture.h"

namespace outcrop::ns {
namespace {

class FileVersionTest : public VersionTest {};

TEST_F(FileVersionTest, OneVersionForEachSessionOfWriting) {
  const FileId id = must(fs().create(top, "f", {})).attributes.id;
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "created", true);
    EXPECT_EQ(versions(), Lines{"f=created*"}) << "creating and writing are one session";
    write(id, 0, "C", true);
    write(id, 1, "R", true);
  }
  EXPECT_EQ(versions(), Lines{"f=CReated*"});
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "c", false);
    write(id, 1, "_", false);
  }
  EXPECT_EQ(versions(), (Lines{"f=c_eated*", "f=CReated"}));
  const std::string old = must(ns->list_versions("b", {})).entries[1].version_id;
  {
    const OpenHoldPtr open = must(fs().hold(id));
    SetAttributes size;
    size.size = 1;
    must(fs().set_attributes(id, size, std::nullopt));
  }
  EXPECT_EQ(versions(), (Lines{"f=c*", "f=c_eated", "f=CReated"}));
  EXPECT_EQ(get_version("f", old).value(), "CReated");
}

TEST_F(FileVersionTest, ALateFirstWriteIsOfTheCreate) {
  const FileId id = must(fs().create(top, "f", {})).attributes.id;
  const OpenHoldPtr open = must(fs().hold(id));
  clock.wait(2 * kWriteSessionIdleNs);
  write(id, 0, "late", true);
  EXPECT_EQ(versions(), Lines{"f=late*"});
}

TEST_F(FileVersionTest, SettingTheSizeMakesAVersionOnlyIfItChanges) {
  const FileId id = file("f", "1234");
  const std::int64_t ctime = must(fs().get_attributes(id)).ctime_ns;
  SetAttributes size;
  size.size = 1;
  EXPECT_EQ(code(run(fs().set_attributes(id, size, ctime + 1))), Errc::precondition_failed);
  EXPECT_EQ(versions(), Lines{"f=1234*"});
  size.size = kMaxObjectBytes + 1;
  EXPECT_EQ(code(run(fs().set_attributes(id, size, ctime + 1))), Errc::entity_too_large);
  EXPECT_EQ(code(run(fs().set_attributes(top, size, ctime + 1))), Errc::is_directory);
  EXPECT_EQ(versions(), Lines{"f=1234*"});
  size.size = 4;
  must(fs().set_attributes(id, size, ctime));
  EXPECT_EQ(versions(), Lines{"f=1234*"});
  size.size = 1;
  must(fs().set_attributes(id, size, must(fs().get_attributes(id)).ctime_ns));
  EXPECT_EQ(versions(), (Lines{"f=1*", "f=1234"}));
}

TEST_F(FileVersionTest, FileClientsDeleteAndReplaceLikeS3) {
  const FileId dir = must(fs().make_directory(top, "d", {})).attributes.id;
  must(fs().create(dir, "f", {}));
  put("d/f", "s3");
  must(fs().remove(dir, "f", RemoveKind::file));
  EXPECT_EQ(versions(), (Lines{"d/f!*", "d/f=s3", "d/f="}));
  must(fs().remove(top, "d", RemoveKind::directory));
  EXPECT_FALSE(run(fs().lookup(top, "d")));
  EXPECT_EQ(versions(), (Lines{"d/f!*", "d/f=s3", "d/f="}));
  EXPECT_EQ(code(run(fs().get_attributes(dir))), Errc::stale);
  const FileId again = must(fs().make_directory(top, "d", {})).attributes.id;
  EXPECT_TRUE(must(fs().read_directory(again, 0, 10, 1 << 16)).entries.empty());
  must(fs().create(again, "tmp", {}));
  must(fs().rename(again, "tmp", again, "f"));
  EXPECT_EQ(versions(), (Lines{"d/f=*", "d/f!", "d/f=s3", "d/f=", "d/tmp!*", "d/tmp="}));
  must(fs().make_directory(top, "e", {}));
  must(fs().remove(again, "f", RemoveKind::file));
  must(fs().remove(top, "d", RemoveKind::directory));
  EXPECT_EQ(code(run(fs().rename(top, "e", top, "d"))), Errc::cross_bucket);
}

TEST_F(FileVersionTest, WhoHasAFileOpenDoesNotReachItsVersion) {
  const FileId id = file("f", "before");
  const OpenHoldPtr open = must(fs().hold(id));
  put("f", "after");
  write(id, 0, "BEFORE", true);  // an orphan now
  EXPECT_EQ(versions(), (Lines{"f=after*", "f=before"}));
  EXPECT_EQ(read(id), "BEFORE");
}

TEST_F(FileVersionTest, WhatHasNoNameIsWrittenAsElsewhere) {
  const FileId id = file("f", "before");
  const OpenHoldPtr open = must(fs().hold(id));
  must(fs().remove(top, "f", RemoveKind::file));
  write(id, 0, "B", false);
  const std::uint64_t commits = meta.commits();
  write(id, 1, "E", false);
  EXPECT_EQ(meta.commits(), commits) << "it waits in memory";
  EXPECT_EQ(read(id), "BEfore");
}

TEST_F(FileVersionTest, EachNameOfAFileHasItsHistory) {
  const FileId id = file("f", "1");
  put("g", "old");
  erase("g");
  must(fs().link(id, top, "g"));
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "2", true);
  }
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "3", true);
  }
  EXPECT_EQ(get("f").value(), "3");
  EXPECT_EQ(get("g").value(), "3");
  must(fs().remove(top, "f", RemoveKind::file));
  EXPECT_EQ(get("g").value(), "3");
  const Lines of_f = versions({.prefix = "f"});
  EXPECT_EQ(of_f.front(), "f!*");
  EXPECT_EQ(of_f[1], "f=3");
  must(fs().rename(top, "g", top, "h"));
  EXPECT_EQ(get("h").value(), "3");
}

TEST_F(FileVersionTest, OfVeryManyNamesTheFirstKeepVersions) {
  const FileId id = must(fs().create(top, "n0", {})).attributes.id;
  constexpr int kNames = 300;
  for (int i = 1; i < kNames; ++i) {
    must(fs().link(id, top, "n" + std::to_string(i)));
  }
  must(fs().flush_idle(0));
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "1", true);
  }
  {
    const OpenHoldPtr open = must(fs().hold(id));
    write(id, 0, "2", true);
  }
  EXPECT_EQ(must(ns->list_versions("b", {.max_keys = 1000})).entries.size(), kNames + 256U);
  EXPECT_EQ(get("n299").value(), "2");
}

TEST_F(FileVersionTest, OfVeryManyNamesTheOneThatMovesKeepsAVersion) {
  const FileId id = must(fs().create(top, "n0", {})).attributes.id;
  for (int i = 1; i < 300; ++i) {
    must(fs().link(id, top, "n" + std::to_string(i)));
  }
  write(id, 0, "1", true);
  must(fs().rename(top, "n99", top, "a"));
  EXPECT_EQ(versions({.prefix = "n99"}), (Lines{"n99!*", "n99=1"}));
  must(ns->rename("b", "n98", "d/b"));
  EXPECT_EQ(versions({.prefix = "n98"}), (Lines{"n98!*", "n98=1"}));
  Object many{.ino = id.ino, .root = root, .record = {}};
  many.record.posix = PosixAttributes{.links = 300};
  EXPECT_EQ(renewal_inodes(many), 256U);
}

TEST_F(FileVersionTest, SymlinksAreNoVersions) {
  put("k", "1");
  must(fs().remove(top, "k", RemoveKind::file));
  must(fs().make_symlink(top, "k", "target", {}));
  EXPECT_EQ(versions(), (Lines{"k!*", "k=1"}));
  const std::string marker = must(ns->list_versions("b", {})).entries[0].version_id;
  erase("k", marker);
  EXPECT_EQ(get("k").value(), "1") << "like a PUT over the symlink";
  must(fs().make_symlink(top, "l", "target", {}));
  must(fs().rename(top, "l", top, "k"));
  EXPECT_EQ(versions(), (Lines{"k!*", "k=1"}));
  put("k", "2");
  EXPECT_EQ(versions(), (Lines{"k=2*", "k!", "k=1"}));
}

TEST_F(FileVersionTest, WhatIsNoKeyMakesNoVersions) {
  FileId deep = top;
  for (char c = 'a'; c < 'f'; ++c) {
    deep = must(fs().make_directory(deep, std::string(250, c), {})).attributes.id;
  }
  must(fs().create(deep, "f", {}));
  must(fs().remove(deep, "f", RemoveKind::file));
  EXPECT_TRUE(versions().empty());
  put("d/x", std::string(300'000, 'x'));
  put("d/x", "2");
  erase("d/y");
  must(fs().rename(top, "d", deep, "d"));
  EXPECT_TRUE(versions().empty()) << "no client can name them there";
  const FileId moved = must(fs().lookup(deep, "d")).id;
  must(fs().remove(moved, "x", RemoveKind::file));
  must(fs().remove(deep, "d", RemoveKind::directory));
  must(ns->delete_bucket("b"));
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0U);
}

// What no client can name goes with its bucket, also if the deletion ends in the middle.
TEST_F(FileVersionTest, ADeletionThatIsCutShortLosesTrackOfNoHistory) {
  FileId deep = top;
  for (char c = 'a'; c < 'f'; ++c) {
    deep = must(fs().make_directory(deep, std::string(250, c), {})).attributes.id;
  }
  put("d/x", "x");
  for (const char* key : {"d/y", "d/e/y", "d/e/f/g/y", "d/e/f/h/y", "d/i/j/y"}) {
    put(key, std::string(300'000, 'y'));
    erase(key);
  }
  must(fs().rename(top, "d", deep, "d"));
  must(fs().remove(must(fs().lookup(deep, "d")).id, "x", RemoveKind::file));
  must(fs().remove(deep, "d", RemoveKind::directory));
  int cuts = 0;
  for (bool deleted = false; !deleted; ++cuts) {
    int commits = 0;
    meta.on_commit([&](const meta::Batch&) {
      if (++commits == 2) {
        meta.fail_next_commit(Errc::unavailable);
      }
    });
    deleted = run(ns->delete_bucket("b")).has_value();
    meta.on_commit({});
    expect_clean();
  }
  EXPECT_GT(cuts, 5);
  const std::string all = meta::table_key(meta::Table::version);
  EXPECT_TRUE(must(meta.scan({.lower = all, .upper = meta::prefix_end(all)}, {})).entries.empty());
  blobs.collect();
  EXPECT_EQ(blobs.extents(), 0U);
}

TEST(WriteSessionTest, EndsWithTheLastHoldOrWithTime) {
  HoldTable table;
  EXPECT_FALSE(table.continue_session(1, 0));
  table.begin_session(1, 0);
  EXPECT_TRUE(table.continue_session(1, kWriteSessionIdleNs - 1));
  EXPECT_FALSE(table.continue_session(1, 2 * kWriteSessionIdleNs - 1));
  table.add(1, 0);
  table.begin_session(1, 0);
  EXPECT_TRUE(table.continue_session(1, 100 * kWriteSessionIdleNs)) << "it is open";
  table.add(1, 0);
  table.release(1);
  EXPECT_TRUE(table.continue_session(1, 100 * kWriteSessionIdleNs));
  table.release(1);
  EXPECT_FALSE(table.continue_session(1, 100 * kWriteSessionIdleNs));
  table.begin_session(2, 0);
  table.expire_sessions(kWriteSessionIdleNs);
  EXPECT_FALSE(table.continue_session(2, 1));
}

TEST(WriteSessionTest, WhoCreatesAndOpensMayWriteLate) {
  HoldTable table;
  table.begin_session(1, 0);
  table.add(1, kWriteSessionIdleNs - 1);
  table.expire_sessions(3 * kWriteSessionIdleNs);
  EXPECT_TRUE(table.continue_session(1, 3 * kWriteSessionIdleNs));
  table.begin_session(2, 0);
  table.add(2, kWriteSessionIdleNs);
  EXPECT_FALSE(table.continue_session(2, kWriteSessionIdleNs)) << "it had ended before";
}

}  // namespace
}  // namespace outcrop::ns
