// What a bucket holds, after everything that changes it: against expected sums, and each time
// against a recount.
#include <gmock/gmock.h>

#include "storage/ns/bucket_record.h"
#include "storage/ns/change_counter.h"
#include "storage/ns/check.h"
#include "tests/unit/storage/ns/quota_fixture.h"

namespace outcrop::ns {
namespace {

class Tallies : public QuotaTest {};

TEST_F(Tallies, Objects) {
  expect_usage(0, 0);
  put("a", bytes(10));
  put("d/b", bytes(5000));
  put("empty", "");
  expect_usage(5010, 3);
  put("a", bytes(7));
  expect_usage(5007, 3);
  ASSERT_TRUE(copy("d/b", "c"));
  expect_usage(10'007, 4);
  ASSERT_TRUE(copy("c", "c"));
  ASSERT_TRUE(copy("a", "c"));
  expect_usage(5014, 4);
  must(ns->rename("b", "a", "c"));
  expect_usage(5007, 3);
  must(ns->rename("b", "d/", "e/"));
  must(ns->set_tags("b", "c", {{"k", "v"}}, {}));
  expect_usage(5007, 3);
  ASSERT_TRUE(remove("e/b"));
  ASSERT_TRUE(remove("none"));
  ASSERT_TRUE(remove("c"));
  ASSERT_TRUE(remove("empty"));
  expect_usage(0, 0);
}

TEST_F(Tallies, Appends) {
  PutRequest request;
  request.append_at = 0;
  must(put_task("b", "a", bytes(100), request));
  request.append_at = 100;
  must(put_task("b", "a", bytes(400'000), request));
  expect_usage(400'100, 1);
}

TEST_F(Tallies, Uploads) {
  const std::string id = upload("m");
  ASSERT_TRUE(part("m", id, 1, bytes(300)));
  ASSERT_TRUE(part("m", id, 2, bytes(200)));
  ASSERT_TRUE(part("m", id, 3, bytes(100)));
  expect_usage(600, 0);
  ASSERT_TRUE(part("m", id, 1, bytes(400)));
  expect_usage(700, 0);
  put("m", bytes(50));
  ASSERT_TRUE(complete("m", id, 2));
  expect_usage(600, 1);
  const std::string other = upload("n");
  const auto source = must(ns->open_read("b", "m"));
  must(ns->copy_part("b", "n", other, 1, *source, {100, 350}, "", {}));
  ASSERT_TRUE(part("n", other, 2, bytes(10)));
  expect_usage(960, 1);
  must(ns->abort_upload("b", "n", other));
  expect_usage(600, 1);
}

TEST_F(Tallies, Versions) {
  must(ns->put_versioning("b", Versioning::enabled));
  const std::string first = put("k", bytes(10)).version_id;
  put("k", bytes(20));
  expect_usage(30, 2);
  const Deletion marked = must(ns->remove_version("b", "k", {}, {}));
  must(ns->remove_version("b", "none", {}, {}));
  expect_usage(30, 2);
  must(ns->remove_version("b", "k", marked.version_id, {}));
  must(ns->remove_version("b", "k", first, {}));
  expect_usage(20, 1);
  must(ns->rename("b", "k", "l"));  // what moved, and the version that it left
  expect_usage(40, 2);
  must(ns->put_versioning("b", Versioning::suspended));
  put("l", bytes(1));
  put("l", bytes(2));
  expect_usage(42, 3);
  must(ns->remove_version("b", "l", {}, {}));
  expect_usage(40, 2);
}

TEST_F(Tallies, VersionsOfFiles) {
  must(ns->put_versioning("b", Versioning::enabled));
  const FileId id = file("f", bytes(100));
  write(id, 0, bytes(150));
  commit(id);
  expect_usage(250, 2);
  const OpenHoldPtr hold = must(fs().hold(id));
  must(fs().remove(top(), "f", RemoveKind::file));  // open: the version is a copy
  expect_usage(400, 3);
}

TEST_F(Tallies, Files) {
  const FileId id = create("f");
  expect_usage(0, 1);
  write(id, 0, bytes(3000));
  EXPECT_EQ(usage().used.bytes, 0);
  commit(id);
  expect_usage(3000, 1);
  write(id, 1'000'000, bytes(10), true);  // behind a hole
  expect_usage(3010, 1);
  write(id, 2990, bytes(20), true);
  expect_usage(3020, 1);
  resize(id, 1000);
  expect_usage(1000, 1);
  resize(id, 10'000'000);
  expect_usage(1000, 1);
  must(fs().deallocate(id, 100, 100));
  expect_usage(900, 1);
  must(fs().allocate(id, 0, 20'000'000));
  expect_usage(900, 1);
  const FileId other = create("g");
  must(fs().clone(id, 0, other, 0, 500));
  expect_usage(1300, 2);
  must(fs().link(id, top(), "l"));
  must(fs().make_directory(top(), "d", {}));
  must(fs().make_symlink(top(), "s", "f", {}));
  expect_usage(1300, 2);
  must(fs().remove(top(), "f", RemoveKind::file));
  expect_usage(1300, 2);
  must(fs().rename(top(), "g", top(), "l"));
  expect_usage(400, 1);
}

// Small files lie in their records, where a hole is bytes.
TEST_F(Tallies, SmallFiles) {
  SetAttributes sized;
  sized.size = 500;
  const FileId id = create("f", sized);
  expect_usage(0, 1);
  write(id, 100, bytes(10), true);
  expect_usage(500, 1);
  resize(id, 50);
  expect_usage(50, 1);
  resize(id, 1000);
  expect_usage(1000, 1);
  resize(id, 1'000'000);
  expect_usage(1000, 1);
}

TEST_F(Tallies, OpenFilesCountUntilTheyAreGone) {
  const FileId id = create("f");
  write(id, 0, bytes(5000), true);
  OpenHoldPtr hold = must(fs().hold(id));
  must(fs().remove(top(), "f", RemoveKind::file));
  expect_usage(5000, 1);
  write(id, 5000, bytes(100), true);
  expect_usage(5100, 1);
  put("f", bytes(1));
  hold.reset();
  must(fs().flush_idle(0));
  expect_usage(1, 1);
}

TEST_F(Tallies, EachBucketHasItsOwn) {
  must(ns->create_bucket("c", ""));
  put("a", bytes(10));
  ASSERT_TRUE(copy("a", "a", "c"));
  expect_usage(10, 1);
  expect_usage(10, 1, "c");
  must(ns->remove("c", "a", {}));
  expect_usage(0, 0, "c");
  const auto all = must(ns->list_usage());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "b");
  EXPECT_EQ(all[0].used.bytes, 10);
  EXPECT_EQ(code(run(ns->get_usage("none"))), Errc::no_such_bucket);
}

TEST_F(Tallies, NothingIsLeftOfABucket) {
  must(ns->create_bucket("c", ""));
  must(put_task("c", "k", bytes(10)));
  const std::string id = must(ns->create_upload("c", "m", {}, {}, {})).upload_id;
  must(ns->put_limits("c", {1000, {}}));
  const InodeId gone = must(ns->get_bucket("c")).root;
  const FileId held = must(fs().create({gone, gone}, "f", {})).attributes.id;
  OpenHoldPtr hold = must(fs().hold(held));
  write(held, 0, bytes(100), true);
  must(fs().remove({gone, gone}, "f", RemoveKind::file));
  must(ns->remove("c", "k", {}));
  EXPECT_TRUE(meta.dump().contains(limits_key(gone)));
  must(ns->delete_bucket("c"));
  for (const auto& [key, value] : meta.dump()) {
    EXPECT_FALSE(key.starts_with(limits_key(gone)));
  }
  write(held, 100, bytes(10), true);
  hold.reset();
  must(fs().flush_idle(0));  // the last of it goes, and nobody counts it
  expect_usage(0, 0);
}

TEST_F(Tallies, SurviveARestart) {
  put("a", bytes(10));
  const FileId id = create("f");
  write(id, 0, bytes(5000), true);
  write(id, 0, bytes(9000));
  limit(20'000);
  crash();
  expect_usage(5010, 2);
  EXPECT_EQ(usage().limits, (QuotaLimits{20'000, {}}));
  put("b", bytes(1));
  expect_usage(5011, 3);
}

TEST_F(Tallies, ACommitThatFailsChangesNothing) {
  put("a", bytes(10));
  for (const Errc why : {Errc::unavailable, Errc::no_space, Errc::read_only}) {
    meta.fail_next_commit(why);
    EXPECT_EQ(code(try_put("a", bytes(500))), why);
    expect_usage(10, 1);
  }
  const FileId id = create("f");
  write(id, 0, bytes(100));
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(code(run(fs().commit(id))), Errc::io_error);
  expect_usage(10, 2);
  commit(id);
  expect_usage(110, 2);
}

// One mutation where the sum changes, none where it does not.
TEST_F(Tallies, CostOneMutation) {
  put("a", bytes(10));
  std::size_t cells = 0, others = 0;
  meta.on_commit([&](const meta::Batch& batch) {
    for (const meta::Mutation& m : batch.mutations) {
      ++(parse_tally_key(m.key) && m.key.front() == 't' ? cells : others);
    }
  });
  const std::uint64_t gets = meta.gets(), scans = meta.scans();
  put("b", bytes(10));
  EXPECT_EQ(cells, 1U);
  EXPECT_EQ(others, 2U);
  EXPECT_EQ(meta.gets() - gets, 1U) << "beside the look at the key";
  EXPECT_EQ(meta.scans(), scans);
  put("b", bytes(10));
  must(ns->set_tags("b", "a", {{"k", "v"}}, {}));
  must(ns->rename("b", "a", "c"));
  EXPECT_EQ(cells, 1U);
  meta.on_commit({});
}

class OlderStore : public Tallies {
 protected:
  /// As a build without tallies leaves it: every start of it takes a boot number.
  void run_older_build(bool never_counted) {
    meta::Batch batch;
    if (never_counted) {
      for (const auto& [key, value] : meta.dump()) {
        if (key.starts_with('t') || key == tally_mark_key()) {
          batch.erase(key);
        }
      }
    }
    batch.put(boot_counter_key(), encode_counter(1000));
    must(meta.commit(std::move(batch)));
  }
  void fill() {
    put("d/e/a", bytes(10));
    must(ns->put_versioning("b", Versioning::enabled));
    put("d/e/a", bytes(20));
    ASSERT_TRUE(remove("d/e/a"));  // history only, in directories that are in no dirent
    const std::string id = upload("m");
    ASSERT_TRUE(part("m", id, 1, bytes(300)));
    const FileId open = create("f");
    write(open, 0, bytes(5000), true);
    write(open, 1'000'000, bytes(50), true);
    must(fs().remove(top(), "f", RemoveKind::file));
    must(ns->create_bucket("c", ""));
    must(put_task("c", "k", bytes(7)));
  }
};

TEST_F(OlderStore, IsCountedOnce) {
  fill();
  const Usage before = usage().used;
  run_older_build(true);
  crash();
  expect_usage(before.bytes, before.objects);
  expect_usage(7, 1, "c");
  put("x", bytes(1));
  crash();
  expect_usage(before.bytes + 1, before.objects + 1);
}

TEST_F(OlderStore, IsCountedAgainWhenAnOlderBuildHasRun) {
  fill();
  limit(1 << 20);
  const Usage before = usage().used;
  // What the older build did: a cell that is not true any more, and one too many.
  meta::Batch batch;
  batch.put(cell_key(root, 0), encode_cell({-5, 77}));
  batch.put(cell_key(root, 3), encode_cell({1, 1}));
  must(meta.commit(std::move(batch)));
  run_older_build(false);
  crash();
  expect_usage(before.bytes, before.objects);
  EXPECT_EQ(usage().limits, (QuotaLimits{1 << 20, {}}));
}

TEST_F(OlderStore, IsCountedWhenSomebodyAsks) {
  put("a", bytes(10));
  meta::Batch batch;
  batch.put(cell_key(root, 0), encode_cell({-5, 77}));
  must(meta.commit(std::move(batch)));
  crash({.recount = true});
  expect_usage(10, 1);
}

// Refused at the worst moment, it is counted at the next start; until then nobody knows.
TEST_F(OlderStore, IsNotCountedWhereNothingCanBeWritten) {
  fill();
  const Usage before = usage().used;
  run_older_build(true);
  must(ns->put_limits("c", {100, {}}));
  // The inode counter comes first.
  int commits = 0;
  meta.on_commit([&](const meta::Batch& /*batch*/) {
    if (++commits >= 2) {
      meta.fail_next_commit(Errc::read_only);
    }
  });
  crash();
  meta.on_commit({});
  EXPECT_FALSE(usage().counted);
  EXPECT_EQ(code(run(put_task("c", "new", bytes(1)))), Errc::unavailable);
  must(ns->remove("c", "k", {}));
  ASSERT_TRUE(try_put("x", bytes(1)));
  crash();
  expect_usage(before.bytes + 1, before.objects + 1);
  expect_usage(0, 0, "c");
}

class TallyCheck : public Tallies {
 protected:
  std::vector<std::string> problems() {
    std::vector<std::string> out;
    for (const TreeProblem& problem : must(check_tree(meta)).problems) {
      out.push_back(problem.text());
    }
    return out;
  }
  void set(std::string key, std::optional<std::string> value) {
    meta::Batch batch;
    batch.mutations.push_back({std::move(key), std::move(value)});
    must(meta.commit(std::move(batch)));
  }
};

TEST_F(TallyCheck, FindsWhatDiffers) {
  put("a", bytes(10));
  const std::string cell = cell_key(root, 0);
  const std::string good = must(meta.get(cell, {})).value();
  const std::string bucket = ": inode " + std::to_string(root);
  set(cell, encode_cell({11, 1}));
  EXPECT_THAT(problems(), testing::ElementsAre("tally differs" + bucket +
                                               " (11 bytes in 1 objects instead of 10 bytes in 1 "
                                               "objects)"));
  set(cell, encode_cell({10, 2}));
  EXPECT_EQ(problems().size(), 1U);
  set(cell, "?");
  EXPECT_THAT(problems(), testing::ElementsAre(testing::StartsWith("tally record corrupt")));
  set(cell, good);
  set(cell_key(12'345, 0), encode_cell({0, 0}));
  EXPECT_THAT(problems(), testing::ElementsAre("tally without bucket: inode 12345"));
  set(cell_key(12'345, 0), std::nullopt);
  EXPECT_TRUE(problems().empty());
}

TEST(TallyRecord, RoundTrips) {
  for (const Usage& usage : {Usage{0, 0}, Usage{1, -1}, Usage{INT64_MAX, INT64_MIN}}) {
    EXPECT_EQ(decode_cell(encode_cell(usage)).value(), usage);
  }
  for (const QuotaLimits& limits :
       {QuotaLimits{0, {}}, QuotaLimits{{}, 5}, QuotaLimits{kMaxQuota, kMaxQuota}}) {
    EXPECT_EQ(decode_limits(encode(limits)).value(), limits);
  }
  EXPECT_FALSE(decode_limits(encode(QuotaLimits{kMaxQuota + 1, {}})));
  EXPECT_FALSE(decode_limits(encode(QuotaLimits{})));
  EXPECT_FALSE(decode_cell(encode_cell({1, 1}) + "x"));
  EXPECT_FALSE(decode_cell(""));
  const auto key = parse_tally_key(cell_key(77, 5));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->root, 77U);
  EXPECT_EQ(key->cell, 5U);
  EXPECT_EQ(parse_tally_key(limits_key(77))->cell, std::nullopt);
  const auto group = parse_tally_key(limits_key_of_group(0));
  ASSERT_TRUE(group);
  EXPECT_EQ(group->root, 0U);
  EXPECT_EQ(parse_tally_key(limits_key_of_group(99))->group, 99U);
  EXPECT_FALSE(parse_tally_key("t"));
  EXPECT_FALSE(parse_tally_key(limits_key(0)));
  EXPECT_FALSE(parse_tally_key(limits_key(77) + limits_key(77).substr(1)));
}

}  // namespace
}  // namespace outcrop::ns
