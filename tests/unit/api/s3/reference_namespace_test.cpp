// The model itself, where no S3 request reaches it.
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Reference : public S3Test {
 protected:
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    for (const ns::ListEntry& entry : run_sync(ns.list("bucket", {}))->entries) {
      out.push_back(entry.key);
    }
    return out;
  }
};

TEST_F(Reference, ReadersArePinned) {
  ASSERT_EQ(put("k", "old").status, 200);
  const auto reader = run_sync(ns.open_read("bucket", "k"));
  ASSERT_EQ(put("k", "newer").status, 200);
  ASSERT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ((*reader)->info().size, 3U);
  EXPECT_EQ(as_text(run_sync((*reader)->next())->front().view()), "old");
  EXPECT_TRUE(run_sync((*reader)->next())->empty());
}

TEST_F(Reference, RenameOfADirectory) {
  for (const std::string key : {"a/", "a/x", "a/y/z", "ab", "b/c"}) {
    ASSERT_EQ(put(key, key).status, 200);
  }
  EXPECT_EQ(run_sync(ns.rename("bucket", "a/", "b/")).error().code(), Errc::already_exists);
  EXPECT_EQ(run_sync(ns.rename("bucket", "a/", "a/y/")).error().code(), Errc::invalid_argument);
  EXPECT_EQ(run_sync(ns.rename("bucket", "n/", "m/")).error().code(), Errc::no_such_key);
  EXPECT_TRUE(run_sync(ns.rename("bucket", "a/", "a/")));
  ASSERT_TRUE(run_sync(ns.rename("bucket", "a/", "b/d/")));
  EXPECT_EQ(keys(), (std::vector<std::string>{"ab", "b/c", "b/d/", "b/d/x", "b/d/y/z"}));
}

TEST_F(Reference, RenameOfAKeyReplaces) {
  ASSERT_EQ(put("a", "1").status, 200);
  ASSERT_EQ(put("b", "2").status, 200);
  const InodeId ino = run_sync(ns.stat("bucket", "a"))->ino;
  ASSERT_TRUE(run_sync(ns.rename("bucket", "a", "b")));
  EXPECT_EQ(keys(), std::vector<std::string>{"b"});
  EXPECT_EQ(run_sync(ns.stat("bucket", "b"))->ino, ino);
}

TEST_F(Reference, StartAfterACommonPrefixSkipsIt) {
  for (const std::string key : {"a/1", "a/2", "b"}) {
    ASSERT_EQ(put(key, "v").status, 200);
  }
  const auto page = run_sync(
      ns.list("bucket", {.prefix = "", .delimiter = "/", .start_after = "a/", .max_keys = 10}));
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0].key, "b");
}

}  // namespace
}  // namespace outcrop::s3::test
