#include <gtest/gtest.h>

#include "storage/ns/bucket_record.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

class Rename : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  Rename() { must(ns->create_bucket("b", "")); }
  ~Rename() override { expect_clean(); }

  Result<std::string> rename(std::string from, std::string to) {
    return run(ns->rename("b", from, to));
  }

  // What NFS mkdir will do: a directory that stays without keys.
  void make_explicit_directory(InodeId parent, InodeId ino, std::string name) {
    meta::Batch batch;
    batch.put(inode_key(ino),
              encode_main({.type = InodeType::directory, .parent = parent, .name = name}));
    batch.put(dirent_key(parent, name),
              encode(DirentRecord{.ino = ino, .type = InodeType::directory}));
    must(meta.commit(std::move(batch)));
  }
};

TEST_F(Rename, AFileKeepsItsInodeAndReplacesItsTarget) {
  const InodeId ino =
      put("a/x", "data", {.attributes = {}, .etag = "e", .checksum = {}, .conditions = {}}).ino;
  put("b/c/y", "old");
  ASSERT_TRUE(rename("a/x", "b/c/y"));
  EXPECT_EQ(get("a/x").error().code(), Errc::no_such_key);
  EXPECT_EQ(get("b/c/y").value(), "data");
  EXPECT_EQ(must(ns->stat("b", "b/c/y")).ino, ino);
  EXPECT_EQ(must(ns->stat("b", "b/c/y")).etag, "e");
  EXPECT_EQ(names(), (std::vector<std::string>{"b/c/y"}));
  ASSERT_TRUE(rename("b/c/y", "b/d/e/y"));  // prunes b/c/ but not b/
  ASSERT_TRUE(rename("b/d/e/y", "b/d/y"));
  ASSERT_TRUE(rename("b/d/y", "b/d/y"));
  EXPECT_EQ(names(), (std::vector<std::string>{"b/d/y"}));
  EXPECT_EQ(rename("none", "x").error().code(), Errc::no_such_key);
  EXPECT_EQ(rename("none/none", "x").error().code(), Errc::no_such_key);
  EXPECT_EQ(rename("b/d/y", "x/").error().code(), Errc::invalid_argument);
}

TEST_F(Rename, ADirectoryMovesWithEverythingBelow) {
  put("a/1", "one");
  put("a/d/2", "two");
  put("a/", "marker");
  put("a", "file");
  EXPECT_EQ(get("a/d/2").value(), "two");  // fills the caches
  const auto commits = meta.commits();
  ASSERT_TRUE(rename("a/", "n/m/"));
  EXPECT_EQ(meta.commits(), commits + 1);
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "n/m/", "n/m/1", "n/m/d/2"}));
  EXPECT_EQ(get("n/m/d/2").value(), "two");
  EXPECT_EQ(get("a/d/2").error().code(), Errc::no_such_key);
  put("a/d/2", "new");
  EXPECT_EQ(get("n/m/d/2").value(), "two");
  EXPECT_EQ(rename("a/", "n/m/").error().code(), Errc::already_exists);
  EXPECT_EQ(rename("a/", "a/d/x/").error().code(), Errc::invalid_argument);
  EXPECT_EQ(rename("none/", "x/").error().code(), Errc::no_such_key);
  EXPECT_EQ(rename("none/none/", "x/").error().code(), Errc::no_such_key);
  EXPECT_TRUE(rename("a/", "a/"));
  EXPECT_EQ(rename("none/", "none/").error().code(), Errc::no_such_key);
  ASSERT_TRUE(rename("n/m/d/", "top/"));
  ASSERT_TRUE(rename("n/m/", "m/"));  // n/ goes
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "a/d/2", "m/", "m/1", "top/2"}));
}

TEST_F(Rename, ExplicitDirectoriesStayAndAreNoKeys) {
  const InodeId root = must(ns->get_bucket("b")).root;
  make_explicit_directory(root, 900, "e/");
  make_explicit_directory(900, 901, "f/");
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(names({.prefix = "", .delimiter = "/", .start_after = ""}).empty());
  put("e/f/k");
  EXPECT_EQ(names({.prefix = "", .delimiter = "/", .start_after = ""}),
            (std::vector<std::string>{"e/"}));
  EXPECT_TRUE(remove("e/f/k").value());
  EXPECT_TRUE(names().empty());
  // Below an implicit directory, an explicit one makes its new ancestors explicit.
  put("i/j/k");
  ASSERT_TRUE(rename("e/f/", "i/j/n/f/"));
  EXPECT_TRUE(remove("i/j/k").value());
  expect_clean();
  EXPECT_TRUE(names({.prefix = "", .delimiter = "/", .start_after = ""}).empty());
  must(ns->delete_bucket("b"));
  expect_clean();
}

}  // namespace
}  // namespace outcrop::ns
