// Limits that buckets have together.
#include <atomic>

#include "tests/support/race.h"
#include "tests/unit/storage/ns/quota_fixture.h"

namespace outcrop::ns {
namespace {

constexpr Errc kOver = Errc::quota_exceeded;
constexpr QuotaGroupId kLab = 123'456'789'012;

class GroupQuota : public QuotaTest {
 protected:
  explicit GroupQuota(unsigned yield_one_in = 0) : QuotaTest(yield_one_in) {
    other = must(ns->create_bucket("c", {})).root;
    groups().assign(root, kLab);
    groups().assign(other, kLab);
  }
  ~GroupQuota() override { expect_sums(); }

  QuotaGroups& groups() { return ns->quota_groups(); }
  void limit_group(std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> objects = {}) {
    must(groups().put_limits(kLab, {bytes, objects}));
  }
  Result<ObjectInfo> put_in(std::string bucket, std::string key, std::size_t n) {
    return run(put_task(std::move(bucket), std::move(key), bytes(n)));
  }
  /// What the group's own sums say is what its buckets say, and nothing is left promised: so much
  /// as is left still fits, and no more.
  void expect_sums() {
    must(fs().flush_idle(INT64_MAX));
    const auto used = groups().usage(kLab).used;
    limit_group(static_cast<std::uint64_t>(used.bytes) + 100, {});
    EXPECT_EQ(code(put_in("c", "probe", 101)), kOver);
    EXPECT_TRUE(put_in("c", "probe", 100));
    must(ns->remove("c", "probe", {}));
  }

  InodeId other = 0;
};

TEST_F(GroupQuota, CountsAllOfItsBuckets) {
  limit_group(100, 3);
  put("a", bytes(60));
  const auto refused = put_in("c", "b", 41);
  ASSERT_EQ(code(refused), kOver);
  EXPECT_EQ(refused.error().detail(), kGroupBytesQuota);
  ASSERT_TRUE(put_in("c", "b", 40));
  EXPECT_EQ(code(try_put("d", bytes(1))), kOver);
  ASSERT_TRUE(put_in("c", "e", 0));
  const auto objects = put_in("c", "f", 0);
  ASSERT_EQ(code(objects), kOver);
  EXPECT_EQ(objects.error().detail(), kGroupObjectsQuota);
  const GroupUsage now = groups().usage(kLab);
  EXPECT_EQ(now.used, (Usage{100, 3}));
  EXPECT_EQ(now.limits, (QuotaLimits{100, 3}));
  EXPECT_EQ(now.buckets, 2U);
  must(ns->remove("b", "a", {}));
  ASSERT_TRUE(put_in("c", "f", 60));
  limit_group({}, {});
  ASSERT_TRUE(put_in("c", "g", 5000));
}

TEST_F(GroupQuota, TheBucketsOwnLimitCountsToo) {
  limit_group(100);
  limit(50);
  const auto refused = try_put("a", bytes(51));
  ASSERT_EQ(code(refused), kOver);
  EXPECT_EQ(refused.error().detail(), kBytesQuota);
  put("a", bytes(50));
  ASSERT_TRUE(put_in("c", "a", 50));
  limit({});
  EXPECT_EQ(code(try_put("b", bytes(1))), kOver);
}

TEST_F(GroupQuota, BucketsComeAndGo) {
  put("a", bytes(80));
  limit_group(100);
  must(ns->create_bucket("d", {}));
  ASSERT_TRUE(put_in("d", "k", 1000));  // of nobody
  EXPECT_EQ(groups().usage(0).used, (Usage{1000, 1}));
  groups().assign(must(ns->get_bucket("d")).root, kLab);
  EXPECT_EQ(groups().usage(kLab).used, (Usage{1080, 2}));
  EXPECT_EQ(groups().usage(0).buckets, 0U);
  EXPECT_EQ(code(put_in("c", "k", 1)), kOver);
  must(ns->remove("d", "k", {}));
  must(ns->delete_bucket("d"));
  EXPECT_EQ(groups().usage(kLab).buckets, 2U);
  ASSERT_TRUE(put_in("c", "k", 20));
  groups().assign(root, 0);
  ASSERT_TRUE(put_in("c", "l", 80));
  put("b", bytes(500));
  EXPECT_EQ(groups().usage(kLab).used, (Usage{100, 2}));
  groups().assign(987'654, kLab);  // no such bucket
  EXPECT_EQ(groups().usage(kLab).buckets, 1U);
}

// Group 0: what nobody assigned, a new bucket with it.
TEST_F(GroupQuota, TheRest) {
  must(groups().put_limits(0, {10, {}}));
  must(ns->create_bucket("d", {}));
  EXPECT_EQ(code(put_in("d", "k", 11)), kOver);
  ASSERT_TRUE(put_in("d", "k", 10));
  put("a", bytes(500));
}

TEST_F(GroupQuota, JudgedBeforeThePayload) {
  limit_group(100);
  ASSERT_TRUE(put_in("c", "a", 70));
  EXPECT_EQ(ahead("k", {.size_hint = 31}), kOver);
  EXPECT_NE(ahead("k", {.size_hint = 30}), kOver);
}

TEST_F(GroupQuota, FilesReserve) {
  const FileId a = create("a");
  limit_group({}, 1000);
  write(a, 0, bytes(500));  // nothing is limited that it could reserve
  EXPECT_EQ(groups().usage(kLab).reserved, 0U);
  limit_group(10'000);
  write(a, 500, bytes(6000));
  EXPECT_GE(groups().usage(kLab).reserved, 6000U);
  EXPECT_EQ(code(put_in("c", "k", 4001)), kOver);
  limit_group(100);
  commit(a);
  EXPECT_EQ(groups().usage(kLab).reserved, 0U);
  EXPECT_EQ(groups().usage(kLab).used, (Usage{6500, 1}));
}

TEST_F(GroupQuota, TheSpaceOfAFileSystem) {
  ASSERT_TRUE(put_in("c", "a", 3000));
  limit_group(10'000, 5);
  limit(9000);
  FileSystemSpace space = must(fs().space(root));
  EXPECT_EQ(space.total_bytes, 9000U);
  EXPECT_EQ(space.free_bytes, 7000U);
  EXPECT_EQ(space.files, 5U);
  EXPECT_EQ(space.free_files, 4U);
  space = must(fs().space(other));
  EXPECT_EQ(space.total_bytes, 10'000U);
}

TEST_F(GroupQuota, LimitsSurviveARestart) {
  put("a", bytes(60));
  limit_group(100, 7);
  crash();
  EXPECT_EQ(groups().usage(kLab).limits, (QuotaLimits{100, 7}));
  put("x", bytes(500));  // whose it is the caller says anew
  must(ns->remove("b", "x", {}));
  groups().assign(root, kLab);
  groups().assign(other, kLab);
  EXPECT_EQ(code(put_in("c", "b", 41)), kOver);
  limit_group({}, {});
  crash();
  EXPECT_TRUE(groups().usage(kLab).limits.empty());
  groups().assign(root, kLab);
  groups().assign(other, kLab);
  EXPECT_EQ(code(run(groups().put_limits(kLab, {kMaxQuota + 1, {}}))), Errc::invalid_argument);
}

TEST_F(GroupQuota, ACommitThatFailsChangesNothing) {
  limit_group(100);
  put("a", bytes(50));
  meta.fail_next_commit(Errc::io_error);
  EXPECT_EQ(code(put_in("c", "b", 50)), Errc::io_error);
  meta.fail_next_commit(Errc::unavailable);
  EXPECT_EQ(code(run(groups().put_limits(kLab, {5000, {}}))), Errc::unavailable);
  EXPECT_EQ(groups().usage(kLab).limits, (QuotaLimits{100, {}}));
  EXPECT_EQ(groups().usage(kLab).used, (Usage{50, 1}));
}

class GroupQuotaRace : public GroupQuota {
 protected:
  GroupQuotaRace() : GroupQuota(3) {}
  Task<> put_one(std::string bucket, std::string key, std::size_t n, std::atomic<int>& done) {
    const auto put = co_await put_task(std::move(bucket), std::move(key), bytes(n));
    if (!put && put.error().code() != kOver) {
      co_return fail(put.error());
    }
    done += put ? 1 : 0;
    co_return ok();
  }
};

TEST_F(GroupQuotaRace, ParallelWritersNeverExceedTheLimit) {
  limit_group(1000);
  std::atomic<int> done = 0;
  test::run_race(4, 25, [&](unsigned i) {
    return put_one(i % 2 == 0 ? "b" : "c", "k" + std::to_string(i), 30, done);
  });
  EXPECT_EQ(done, 33);
  EXPECT_EQ(groups().usage(kLab).used, (Usage{990, 33}));
}

// Buckets change their group, and limits come and go, while others write: sums stay exact.
TEST_F(GroupQuotaRace, MembersChangeUnderLoad) {
  std::atomic<int> done = 0;
  test::run_race(4, 60, [&](unsigned i) -> Task<> {
    if (i % 6 == 4) {
      groups().assign(i % 4 == 0 ? root : other, i % 5 == 0 ? 0 : kLab);
      return [](std::uint64_t bytes, QuotaGroups& all) -> Task<> {
        co_return co_await all.put_limits(
            kLab, {bytes % 3 == 0 ? std::optional(bytes) : std::nullopt, std::nullopt});
      }(i * 40, groups());
    }
    return put_one(i % 2 == 0 ? "b" : "c", "k" + std::to_string(i % 7), i * 3, done);
  });
  groups().assign(root, kLab);
  groups().assign(other, kLab);
  EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace outcrop::ns
