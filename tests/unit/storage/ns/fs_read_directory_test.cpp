#include <set>

#include "tests/unit/storage/ns/fs_fixture.h"

namespace outcrop::ns {
namespace {

class FsReadDirectory : public test::FileTest {
 protected:
  DirectoryPage page(FileId directory, std::uint64_t cookie, std::size_t n = 2) {
    return must(fs().read_directory(directory, cookie, n, 1 << 20));
  }
  /// A new process over the same stores.
  void restart() {
    ns.reset();
    ns = make_namespace(meta, blobs, clock, random, {});
    must(ns->open());
  }
  static std::vector<std::string> names_in(const DirectoryPage& page) {
    std::vector<std::string> out;
    for (const auto& entry : page.entries) {
      out.push_back(entry.name);
    }
    return out;
  }
};

TEST_F(FsReadDirectory, EntriesComeInKeyOrderWithTheirAttributes) {
  put("d/");  // the marker does not show
  for (const char* key : {"d/a-b", "d/a.txt", "d/a/x", "d/b", "d/a0"}) {
    put(key, "12345");
  }
  const FileId d = at("d").id;
  must(fs().make_symlink(d, "s", "t", {}));
  for (const std::size_t step : {1u, 2u, 3u, 100u}) {
    EXPECT_EQ(ls(d, step), (std::vector<std::string>{"a-b", "a.txt", "a", "a0", "b", "s"}));
  }
  const DirectoryPage all = page(d, 0, 100);
  EXPECT_TRUE(all.eof);
  for (const DirectoryEntry& entry : all.entries) {
    const FileAttributes a = must(fs().lookup(d, entry.name));
    EXPECT_EQ(entry.attributes.id, a.id);
    EXPECT_EQ(entry.attributes.change, a.change);
    EXPECT_EQ(entry.attributes.size, a.size);
    EXPECT_GT(entry.cookie, 2u);
  }
  const DirectoryPage first = must(fs().read_directory(d, 0, 100, 1));
  EXPECT_EQ(names_in(first), (std::vector<std::string>{"a-b"}));  // at least one
  EXPECT_FALSE(first.eof);
  const DirectoryPage large = must(fs().read_directory(d, 0, 100, 201, 96));
  EXPECT_EQ(names_in(large), (std::vector<std::string>{"a-b", "a.txt", "a"}));  // the last in part
  EXPECT_TRUE(page(d, 0, 6).eof);
  EXPECT_FALSE(page(d, 0, 5).eof);
  EXPECT_EQ(code(run(fs().read_directory(at("d/b").id, 0, 5, 5))), Errc::not_directory);
}

TEST_F(FsReadDirectory, ShadowsAreFoundAcrossPages) {
  put("n", "file");
  put("n/x", "in");
  std::vector<std::string> expected = {".s3~n"};
  for (int i = 0; i < 40; ++i) {
    const std::string name = "n " + std::to_string(100 + i);  // between "n" and "n/"
    put(name);
    expected.push_back(name);
  }
  expected.push_back("n");
  for (const std::size_t step : {1u, 7u, 16u, 100u}) {
    EXPECT_EQ(ls(root, step), expected) << step;
  }
}

TEST_F(FsReadDirectory, ResumesBehindWhatWasRemovedOrRenamed) {
  const FileId d = mkdir(root, "d").id;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    create(d, name);
  }
  DirectoryPage p = page(d, 0);
  EXPECT_EQ(names_in(p), (std::vector<std::string>{"a", "b"}));
  std::uint64_t cookie = p.entries.back().cookie;
  EXPECT_TRUE(unlink(d, "b"));
  EXPECT_EQ(names_in(page(d, cookie)), (std::vector<std::string>{"c", "d"}));
  cookie = page(d, cookie).entries.back().cookie;
  EXPECT_TRUE(move(d, "d", d, "z"));  // not from its new place
  p = page(d, cookie);
  EXPECT_EQ(names_in(p), (std::vector<std::string>{"e", "f"}));
  cookie = p.entries.back().cookie;
  EXPECT_TRUE(remove("d/f").value());
  p = page(d, cookie);
  EXPECT_EQ(names_in(p), (std::vector<std::string>{"z"}));
  EXPECT_TRUE(p.eof);
  // It was listed at its new place: from there on.
  EXPECT_TRUE(page(d, p.entries.back().cookie).entries.empty());

  // Whole sweeps that delete what they read.
  for (int i = 0; i < 50; ++i) {
    create(d, "n" + std::to_string(i));
  }
  std::size_t removed = 0;
  cookie = 0;
  for (;;) {
    p = page(d, cookie, 7);
    for (const auto& entry : p.entries) {
      EXPECT_TRUE(unlink(d, entry.name));
      cookie = entry.cookie;
      ++removed;
    }
    if (p.eof) {
      break;
    }
  }
  EXPECT_EQ(removed, 54u);
  EXPECT_TRUE(ls(d).empty());
  EXPECT_EQ(code(run(fs().read_directory(d, 1, 5, 5))), Errc::bad_cookie);
  EXPECT_EQ(code(run(fs().read_directory(d, 1'000'000, 5, 5))), Errc::bad_cookie);
  EXPECT_EQ(code(run(fs().read_directory(d, root.ino, 5, 5))), Errc::bad_cookie);
}

// What is renamed while others read may be listed twice or not at all, but nobody loses his place.
TEST_F(FsReadDirectory, ARenamedEntryTakesNobodyWithIt) {
  const FileId d = mkdir(root, "d").id;
  for (const char* name : {"b", "c", "d", "y"}) {
    create(d, name);
  }
  mkdir(d, "a");
  const std::uint64_t at_a = page(d, 0, 1).entries.back().cookie;
  EXPECT_TRUE(move(d, "a", d, "x"));
  std::uint64_t at_x = 0;
  for (const auto& entry : page(d, 0, 10).entries) {
    at_x = entry.name == "x" ? entry.cookie : at_x;
  }
  // Two readers had the same directory as their last entry, at two places.
  EXPECT_EQ(names_in(page(d, at_a, 10)), (std::vector<std::string>{"b", "c", "d", "x", "y"}));
  EXPECT_EQ(names_in(page(d, at_x, 10)), (std::vector<std::string>{"y"}));
  const std::uint64_t at_b = page(d, at_a, 1).entries.back().cookie;
  const FileId e = mkdir(root, "e").id;
  EXPECT_TRUE(move(d, "b", e, "b"));
  EXPECT_TRUE(move(e, "b", d, "z"));  // and back
  EXPECT_EQ(names_in(page(d, at_b, 10)), (std::vector<std::string>{"c", "d", "x", "y", "z"}));
  const std::uint64_t at_z = page(d, at_x, 10).entries.back().cookie;
  EXPECT_TRUE(move(d, "z", d, "aa"));
  EXPECT_EQ(names_in(page(d, at_b, 10)), (std::vector<std::string>{"c", "d", "x", "y"}));
  EXPECT_EQ(names_in(page(d, at_z, 10)), (std::vector<std::string>{}));
}

TEST_F(FsReadDirectory, TheLastOfTwoNamesIsWhereItWas) {
  const FileId f = create(root, "a").id;
  create(root, "c");
  must(fs().link(f, root, "b"));
  create(root, "d");
  const DirectoryPage all = page(root, 0, 10);
  EXPECT_EQ(names_in(all), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_TRUE(unlink(root, "a"));  // "b" has no link record now
  for (const std::size_t i : {0u, 1u}) {
    const auto rest = names_in(page(root, all.entries[i].cookie, 10));
    EXPECT_EQ(rest.size(), 3 - i);
    EXPECT_EQ(rest.back(), "d");
  }
  const std::uint64_t at_b = page(root, 0, 1).entries.back().cookie;
  EXPECT_NE(at_b, all.entries[0].cookie);
  EXPECT_TRUE(move(root, "b", root, "e"));
  EXPECT_EQ(names_in(page(root, at_b, 10)), (std::vector<std::string>{"c", "d", "e"}));
}

TEST_F(FsReadDirectory, ResumesAfterARestartBehindWhatWasRemovedBeforeAndAfterIt) {
  for (int i = 0; i < 20; ++i) {
    put("d/" + std::to_string(10 + i), "");
  }
  put("d/15x/y", "");
  const FileId d = at("d").id;
  DirectoryPage p = page(d, 0, 3);
  EXPECT_EQ(names_in(p).back(), "12");
  EXPECT_TRUE(unlink(d, "12"));
  restart();
  p = page(d, p.entries.back().cookie, 3);
  EXPECT_EQ(names_in(p), (std::vector<std::string>{"13", "14", "15"}));
  restart();
  must(ns->remove("b", "d/15", {}));  // by S3, before anybody reads again
  p = page(d, p.entries.back().cookie, 1);
  EXPECT_EQ(names_in(p), (std::vector<std::string>{"15x"}));
  must(ns->rename("b", "d/15x/", "d/15y/"));
  const std::uint64_t at_y = page(d, p.entries.back().cookie, 1).entries.back().cookie;
  must(ns->remove("b", "d/15y/y", {}));  // the directory goes with it
  restart();
  EXPECT_EQ(names_in(page(d, p.entries.back().cookie, 1)), (std::vector<std::string>{"16"}));
  EXPECT_EQ(names_in(page(d, at_y, 1)), (std::vector<std::string>{"16"}));
}

TEST_F(FsReadDirectory, MoreRemovalsThanMemoryHoldsAreStillKnownAndInTheEndForgotten) {
  const FileId d = mkdir(root, "d").id;
  for (const char* name : {"a", "b", "c"}) {
    create(d, name);
  }
  const std::uint64_t cookie = page(d, 0, 2).entries.back().cookie;
  EXPECT_TRUE(unlink(d, "b"));
  const auto left_names = [&] {
    return must(meta.scan({.lower = "n", .upper = "o", .limit = 100, .keys_only = true}, nullptr))
        .entries.size();
  };
  EXPECT_EQ(left_names(), 1u);
  restart();
  clock.advance(500);
  must(fs().flush_idle(INT64_MAX));
  EXPECT_EQ(names_in(page(d, cookie)), (std::vector<std::string>{"c"}));
  clock.advance(1300);
  must(fs().flush_idle(INT64_MAX));
  EXPECT_EQ(left_names(), 0u);
  EXPECT_EQ(code(run(fs().read_directory(d, cookie, 5, 5))), Errc::bad_cookie);
  // Very many go in several passes, and nobody looks for more until the next period is over.
  for (int i = 0; i < 20'000; ++i) {
    create(d, "n");
    EXPECT_TRUE(unlink(d, "n"));
  }
  clock.advance(1300);
  must(fs().flush_idle(INT64_MAX));
  while (must(meta.scan({.lower = "n", .upper = "o", .limit = 1}, nullptr)).entries.size() > 0) {
    must(fs().flush_idle(INT64_MAX));
  }
  const auto scans = meta.scans();
  must(fs().flush_idle(INT64_MAX));
  EXPECT_EQ(meta.scans() - scans, 0u);
}

TEST_F(FsReadDirectory, S3AloneLeavesNoTrace) {
  for (const char* key : {"a", "b/c"}) {
    put(key);
    must(ns->remove("b", key, {}));
  }
  restart();
  put("a");
  must(ns->remove("b", "a", {}));
  EXPECT_TRUE(must(meta.scan({.lower = "n", .upper = "o", .limit = 100}, nullptr)).entries.empty());
}

TEST_F(FsReadDirectory, ResumesBehindWhatS3Replaced) {
  for (const char* key : {"a", "b", "c"}) {
    put(key);
  }
  const std::uint64_t cookie = page(root, 0).entries.back().cookie;
  put("b", "new");
  EXPECT_EQ(names_in(page(root, cookie)), (std::vector<std::string>{"c"}));
  must(ns->rename("b", "b", "aa"));
  EXPECT_EQ(names_in(page(root, cookie)), (std::vector<std::string>{"c"}));
}

TEST_F(FsReadDirectory, EachNameOfOneFileHasItsOwnCookie) {
  const FileId f = create(root, "b").id;
  for (const char* name : {"a", "c", "d"}) {
    must(fs().link(f, root, name));
  }
  std::set<std::uint64_t> cookies;
  for (const auto& entry : page(root, 0, 10).entries) {
    EXPECT_TRUE(cookies.insert(entry.cookie).second);
    EXPECT_EQ(entry.attributes.id, f);
  }
  EXPECT_EQ(cookies.size(), 4u);
  for (const std::size_t step : {1u, 2u, 3u}) {
    EXPECT_EQ(ls(root, step), (std::vector<std::string>{"a", "b", "c", "d"}));
  }
  const std::uint64_t at_a = page(root, 0, 1).entries.back().cookie;
  const std::uint64_t at_b = page(root, at_a, 1).entries.back().cookie;
  EXPECT_EQ(at_b, f.ino);
  EXPECT_TRUE(unlink(root, "b"));
  EXPECT_EQ(names_in(page(root, at_b)), (std::vector<std::string>{"c", "d"}));
  EXPECT_TRUE(unlink(root, "a"));
  EXPECT_TRUE(move(root, "c", root, "e"));
  EXPECT_EQ(names_in(page(root, at_a)), (std::vector<std::string>{"d", "e"}));
  expect_clean();
  EXPECT_TRUE(unlink(root, "d"));
  EXPECT_EQ(ls(root, 1), (std::vector<std::string>{"e"}));
}

TEST_F(FsReadDirectory, TheCostOfAPageDoesNotGrowWithTheDirectory) {
  const FileId d = mkdir(root, "d").id;
  for (int i = 0; i < 3000; ++i) {
    put("d/" + std::to_string(100'000 + i), "");
  }
  const DirectoryPage first = page(d, 0, 100);
  const auto scans = meta.scans();
  const auto gets = meta.gets();
  const DirectoryPage second = page(d, first.entries.back().cookie, 100);
  EXPECT_EQ(second.entries.size(), 100u);
  EXPECT_EQ(second.entries.front().name, "100100");
  EXPECT_EQ(meta.scans() - scans, 1u);
  EXPECT_LE(meta.gets() - gets, 100u + 4);
}

TEST_F(FsReadDirectory, AStoreThatRefusesWritesIsAskedOnceAMinute) {
  put("f", "data");
  const auto page = [&] { return run(fs().read_directory(root, 0, 5, 1 << 20)); };
  meta.fail_next_commit(Errc::read_only);
  EXPECT_TRUE(page());
  meta.fail_next_commit(Errc::corrupt);
  EXPECT_TRUE(page()) << "no commit";
  clock.wait(61'000'000'000);
  EXPECT_EQ(code(page()), Errc::corrupt);
  EXPECT_TRUE(page());
}

}  // namespace
}  // namespace outcrop::ns
