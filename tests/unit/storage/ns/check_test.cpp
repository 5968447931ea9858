#include "storage/ns/check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/io/sim_disk.h"
#include "storage/meta/tables.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/version_record.h"
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

class VersionCheck : public TreeCheck {
 protected:
  VersionCheck() { must(ns->put_versioning("b", Versioning::enabled)); }
  /// In the order of the table.
  std::vector<VersionKey> version_keys() {
    std::vector<VersionKey> out;
    for (const auto& [key, value] : meta.dump()) {
      if (key.starts_with(static_cast<char>(meta::Table::version))) {
        out.push_back(parse_version_key(key).value());
      }
    }
    return out;
  }
  std::vector<std::string> complaints(CheckOptions options = {}) {
    std::vector<std::string> out;
    for (const TreeProblem& problem : check(std::move(options)).problems) {
      out.emplace_back(problem.what);
    }
    std::ranges::sort(out);
    return out;
  }
  std::string raw(const VersionKey& key) {
    return version_key(key.directory, key.name, key.number);
  }
  InodeId old_inode(const VersionKey& key) {
    return decode_version(*must(meta.get(raw(key), {})), key.number).value().summary.ino;
  }
};
using Complaints = std::vector<std::string>;

TEST_F(VersionCheck, CountsAndHoldsOneNameAtATime) {
  for (int i = 0; i < 200; ++i) {
    const std::string key = "d" + std::to_string(i % 5) + "/k" + std::to_string(i);
    put(key, std::string(i, 'x'));
    put(key);
    if (i % 3 == 0) {
      EXPECT_TRUE(remove(key).value());
    }
  }
  const TreeReport report = check();
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.files, 133U);
  EXPECT_EQ(report.versions, 267U);
  EXPECT_EQ(report.delete_markers, 67U);
  meta::Batch batch;
  const std::vector<VersionKey> keys = version_keys();
  batch.erase(raw(keys.at(7)));
  const auto holds = [this](const VersionKey& key) {
    return key.kind == VersionKind::version && old_inode(key) != 0;
  };
  batch.erase(inode_key(old_inode(*std::find_if(keys.begin() + 100, keys.end(), holds))));
  commit(std::move(batch));
  io::SimWorld world(1);
  const auto scratch = world.open_disk(0).value();
  const Complaints all = complaints();
  EXPECT_GE(all.size(), 2U);
  EXPECT_EQ(complaints({.scratch = scratch.get(), .memory_bytes = 1024}), all);
  EXPECT_GT(world.io_count(), 20U) << "nothing was sorted in the scratch directory";
}

TEST_F(VersionCheck, AMarkerMustStandWhereNothingIs) {
  put("k");
  EXPECT_TRUE(remove("k").value());
  meta::Batch batch;
  batch.erase(raw(version_keys().at(0)));
  commit(std::move(batch));
  EXPECT_EQ(complaints(), Complaints{"deleted key without marker"});
}

TEST_F(VersionCheck, WhatIsCurrentMustBeTheNewest) {
  put("k");
  put("k");
  const VersionKey key = version_keys().at(0);
  InodeRecord old = inode(old_inode(key));
  old.version.number = UINT64_MAX / 2;
  VersionRecord record = decode_version(*must(meta.get(raw(key), {})), key.number).value();
  record.stamp = record.summary.version = old.version;
  meta::Batch batch;
  batch.put(inode_key(record.summary.ino), encode_main(old));
  batch.erase(raw(key));
  batch.put(version_key(key.directory, key.name, old.version.number), encode(record));
  commit(std::move(batch));
  EXPECT_EQ(complaints(), Complaints{"current version is not the newest"});
}

TEST_F(VersionCheck, TheNullVersionMustBePointedAt) {
  must(ns->put_versioning("b", Versioning::suspended));
  put("k");
  must(ns->put_versioning("b", Versioning::enabled));
  put("k");
  const VersionKey key = version_keys().at(0);
  meta::Batch batch;
  batch.erase(null_version_key(key.directory, key.name));
  commit(std::move(batch));
  EXPECT_EQ(complaints(), Complaints{"pointer to the null version differs"});
  meta::Batch wrong;
  wrong.put(null_version_key(key.directory, key.name), encode_number(key.number + 1));
  commit(std::move(wrong));
  EXPECT_EQ(complaints(), Complaints{"pointer to the null version differs"});
}

TEST_F(VersionCheck, VersionsLeadToInodesOfTheirOwn) {
  put("k");
  put("k", "newer");
  const VersionKey key = version_keys().at(0);
  const InodeId ino = old_inode(key);
  InodeRecord old = inode(ino);
  old.history = false;
  meta::Batch batch;
  batch.put(inode_key(ino), encode_main(old));
  commit(std::move(batch));
  EXPECT_EQ(complaints(), (Complaints{"dangling version", "orphan inode"}));
  old.history = true;
  old.size = 7;
  meta::Batch size;
  size.put(inode_key(ino), encode_main(old));
  commit(std::move(size));
  EXPECT_EQ(complaints(),
            (Complaints{"size or continuation records differ", "summary of a version differs"}));
}

TEST_F(VersionCheck, HistoryIsNotInTheTree) {
  put("d/k");
  EXPECT_TRUE(remove("d/k").value());
  const std::vector<VersionKey> keys = version_keys();
  const auto hidden = std::ranges::find(keys, VersionKind::directory, &VersionKey::kind);
  ASSERT_NE(hidden, keys.end());
  const std::string at = history_directory_key(hidden->directory, "d/");
  const InodeId ino = decode_number(*must(meta.get(at, {}))).value();
  meta::Batch batch;
  batch.put(dirent_key(hidden->directory, "d/"),
            encode(DirentRecord{.ino = ino, .type = InodeType::directory}));
  batch.erase(at);
  commit(std::move(batch));
  EXPECT_EQ(complaints(), Complaints{"history in the tree"});
  meta::Batch emptied;
  emptied.erase(dirent_key(hidden->directory, "d/"));
  emptied.put(at, encode_number(ino));
  for (const VersionKey& key : keys) {
    if (key.kind == VersionKind::version) {
      emptied.erase(raw(key));
    }
  }
  commit(std::move(emptied));
  EXPECT_EQ(complaints(), (Complaints{"history directory without history", "orphan inode"}));
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
