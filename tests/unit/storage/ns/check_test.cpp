#include "storage/ns/check.h"

#include <gtest/gtest.h>

#include "storage/io/sim_disk.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

class TreeCheck : public test::NamespaceFixture, public testing::Test {
 protected:
  TreeCheck() { EXPECT_TRUE(run(ns->create_bucket("b", ""))); }
  TreeReport check(CheckOptions options = {}) { return must(check_tree(meta, std::move(options))); }
  InodeRecord inode(InodeId ino) {
    return decode_inode(*must(meta.get(inode_key(ino), {}))).value();
  }
  void commit(meta::Batch batch) { ASSERT_TRUE(run(meta.commit(std::move(batch)))); }
  /// The number of the directory of that name, wherever it is.
  InodeId directory(std::string_view name) {
    for (const auto& [key, value] : meta.dump()) {
      if (key.starts_with('d') && dirent_name(key) == name) {
        return decode_dirent(value).value().ino;
      }
    }
    ADD_FAILURE() << name;
    return 0;
  }
};

TEST_F(TreeCheck, SaysTheSameHoweverLittleMemoryItHas) {
  for (int i = 0; i < 300; ++i) {
    put("d" + std::to_string(i % 7) + "/k" + std::to_string(i), std::string(i * 37, 'x'));
  }
  meta::Batch batch;
  batch.erase(inode_key(directory("d3/")));
  commit(std::move(batch));
  const TreeReport all = check();
  EXPECT_EQ(all.files, 300U);
  EXPECT_FALSE(all.clean());
  io::SimWorld world(1);
  const auto scratch = world.open_disk(0).value();
  const TreeReport some = check({.scratch = scratch.get(), .memory_bytes = 1024});
  EXPECT_GT(world.io_count(), 20U) << "nothing was sorted in the scratch directory";
  EXPECT_TRUE(scratch->list("").value().empty());
  ASSERT_EQ(some.problem_count, all.problem_count);
  for (std::size_t i = 0; i < all.problems.size(); ++i) {
    EXPECT_EQ(some.problems[i].text(), all.problems[i].text());
  }
}

// Each leads to the other, by name and by back pointer: only the way up tells.
TEST_F(TreeCheck, DirectoriesBelowThemselvesAreFound) {
  put("a/b/c/leaf");
  const InodeId a = directory("a/"), b = directory("b/"), c = directory("c/");
  InodeRecord moved = inode(a);
  meta::Batch batch;
  batch.put(dirent_key(c, "a/"), *must(meta.get(dirent_key(moved.parent, "a/"), {})));
  batch.erase(dirent_key(moved.parent, "a/"));
  moved.parent = c;
  batch.put(inode_key(a), encode_main(moved));
  commit(std::move(batch));
  const TreeReport report = check();
  ASSERT_EQ(report.problem_count, 1U);
  EXPECT_EQ(report.problems[0].what, "directory below itself");
  EXPECT_EQ(report.problems[0].ino, a);
  EXPECT_LT(a, b);
}

TEST_F(TreeCheck, EndsWhenItIsTold) {
  for (int i = 0; i < 3000; ++i) {
    put("k" + std::to_string(i));
  }
  std::uint64_t last = 0;
  const auto progress = [&last](std::uint64_t records) {
    last = records;
    return false;
  };
  const auto ended = run(check_tree(meta, {.progress = progress}));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), Errc::cancelled);
  EXPECT_GT(last, 0U);
}

class Collected final : public ExtentVisitor {
 public:
  Task<> visit(ExtentUser user) override {
    users.push_back(user);
    co_return ok();
  }
  std::vector<ExtentUser> users;
};

TEST_F(TreeCheck, EveryUserOfAnExtentIsVisitedInOrder) {
  put("one", std::string(50'000, 'x'));
  put("two", std::string(400'000, 'y'));
  CopyRequest request;
  request.source_bucket = "b";
  request.source_key = "two";
  ASSERT_TRUE(run(ns->copy("b", "again", std::move(request))));
  Collected visitor;
  const TreeReport report = check({.visitor = &visitor});
  EXPECT_EQ(visitor.users.size(), report.extent_refs);
  EXPECT_GE(visitor.users.size(), 3U);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < visitor.users.size(); ++i) {
    const ExtentUser& user = visitor.users[i];
    bytes += user.extent.length;
    if (i > 0) {
      const ExtentUser& before = visitor.users[i - 1];
      EXPECT_LT(std::tuple(before.extent.segment, before.extent.offset, before.owner),
                std::tuple(user.extent.segment, user.extent.offset, user.owner));
    }
  }
  EXPECT_EQ(bytes, report.payload_bytes);
}

}  // namespace
}  // namespace outcrop::ns
