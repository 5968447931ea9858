// Workers, the byte budget across them, the memory plan.
#include "server/runtime.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/byte_budget.h"
#include "server/http_group.h"
#include "server/memory_plan.h"
#include "server/response_head.h"
#include "storage/base/worker.h"
#include "tests/unit/server/live_server.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

Async<unsigned> index_here() { co_return worker_index(); }

TEST(Runtime, RunsWorkOnTheWorkerThatIsAsked) {
  Runtime runtime(3);
  runtime.start();
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(runtime.run_on(i, index_here()), i);
  }
}

TEST(Runtime, DefaultIsOneWorkerPerUsableCore) {
  const Runtime runtime(0);
  EXPECT_GE(runtime.workers(), 1u);
}

TEST(HttpGroupTest, AllWorkersServeOnePortAndNobodyElseMay) {
  std::atomic<int> calls{0};
  SeededRandom random(1);
  Runtime runtime(3);
  ByteBudget budget(1 << 20);
  HttpService service(testing::test_handler(calls), {}, budget);
  HttpGroup group(runtime, {0, 1, 2}, service, random);
  ASSERT_TRUE(group.bind({"127.0.0.1", 0}).has_value());
  runtime.start();
  group.serve();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(testing::exchange(group.port(), "GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  }
  EXPECT_EQ(group.totals().requests, 30u);
  HttpGroup other(runtime, {0}, service, random);
  const Result<void> taken = other.bind({"127.0.0.1", group.port()});
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code(), Errc::config);
  EXPECT_NE(taken.error().detail().find("Address already in use"), std::string_view::npos);
  group.stop(std::chrono::seconds(1));
  EXPECT_EQ(calls, 30);
}

Async<bool> use(ByteBudget& budget, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    const Result<ByteBudget::Lease> lease = co_await budget.take(7);
    if (!lease || budget.in_use() > budget.capacity()) {
      co_return false;
    }
    co_await asio::post(co_await asio::this_coro::executor, use_async);
  }
  co_return true;
}

TEST(ByteBudgetTest, IsNeverExceededAndNobodyStarves) {
  Runtime runtime(4);
  ByteBudget budget(20);
  runtime.start();
  std::vector<std::future<bool>> done;
  for (unsigned i = 0; i < 12; ++i) {
    auto promise = std::make_shared<std::promise<bool>>();
    done.push_back(promise->get_future());
    asio::co_spawn(runtime.io(i % 4), use(budget, 300),
                   [promise](std::exception_ptr, bool fine) { promise->set_value(fine); });
  }
  for (std::future<bool>& d : done) {
    EXPECT_TRUE(d.get());
  }
  EXPECT_EQ(budget.in_use(), 0u);
}

TEST(ByteBudgetTest, ALeaseLargerThanTheCommonPartIsAllOfIt) {
  ByteBudget budget(80);
  ByteBudget::Lease all, more;
  EXPECT_TRUE(budget.try_take(1000, all));
  EXPECT_EQ(budget.in_use(), 70u);
  EXPECT_FALSE(budget.try_take(11, more));
  all.release();
  EXPECT_EQ(budget.in_use(), 0u);
  EXPECT_TRUE(budget.try_take(70, more));
}

TEST(ByteBudgetTest, SmallTransfersDoNotWaitForLargeOnesThatCrawl) {
  constexpr std::uint64_t kLargeLease = 4 << 20;
  asio::io_context io(1);
  ByteBudget budget(8 * kLargeLease);
  std::vector<ByteBudget::Lease> large(7);
  for (ByteBudget::Lease& lease : large) {
    ASSERT_TRUE(budget.try_take(kLargeLease, lease));
  }
  std::optional<ByteBudget::Lease> waiting;
  asio::co_spawn(io, budget.take(kLargeLease),
                 [&](std::exception_ptr, Result<ByteBudget::Lease> r) { waiting = std::move(*r); });
  io.poll();
  ASSERT_FALSE(waiting) << "all of the common part is taken";
  // The part for small ones is there, up to its own size.
  std::vector<ByteBudget::Lease> small(kLargeLease / ByteBudget::kSmall);
  for (ByteBudget::Lease& lease : small) {
    ASSERT_TRUE(budget.try_take(ByteBudget::kSmall, lease));
  }
  ByteBudget::Lease one_more;
  EXPECT_FALSE(budget.try_take(ByteBudget::kSmall, one_more));
  EXPECT_EQ(budget.in_use(), budget.capacity());
  small.clear();
  EXPECT_FALSE(budget.try_take(ByteBudget::kSmall + 1, one_more));
  io.restart();
  io.poll();
  EXPECT_FALSE(waiting) << "what small ones gave back is not for large ones";
  large.pop_back();
  io.restart();
  io.poll();
  EXPECT_TRUE(waiting);
}

TEST(MemoryPlan, FitsASmallContainer) {
  const MemoryPlan plan = plan_memory(0, 512 << 20, 64ull << 30);
  EXPECT_EQ(plan.total, 384u << 20);
  EXPECT_LE(plan.buffer_pool + plan.in_flight + plan.cache + plan.payloads + plan.writes +
                plan.chunks + plan.nfs_state + plan.nfs_replies,
            plan.total);
  // Registered with io_uring the pool is pinned, so a large machine must not make it large.
  EXPECT_EQ(plan_memory(0, 0, 256ull << 30).buffer_pool, 256u << 20);
  EXPECT_EQ(plan_memory(0, 0, 8ull << 30).total, 4ull << 30);
  EXPECT_EQ(plan_memory(1 << 30, 512 << 20, 8ull << 30).total, 1u << 30);
}

TEST(MemoryPlan, ReadsCgroupLimits) {
  const fs::path root =
      fs::temp_directory_path() / ("outcrop-cgroup-" + std::to_string(::getpid()));
  fs::create_directories(root / "proc/self");
  fs::create_directories(root / "sys/fs/cgroup/a/b");
  std::ofstream(root / "proc/self/cgroup") << "0::/a/b\n";
  EXPECT_EQ(cgroup_memory_limit(root), 0u);
  std::ofstream(root / "sys/fs/cgroup/a/b/memory.max") << "max\n";
  std::ofstream(root / "sys/fs/cgroup/a/memory.max") << "1000000\n";
  EXPECT_EQ(cgroup_memory_limit(root), 1'000'000u);
  std::ofstream(root / "proc/self/cgroup") << "4:memory:/docker/x\n";
  fs::create_directories(root / "sys/fs/cgroup/memory");
  std::ofstream(root / "sys/fs/cgroup/memory/memory.limit_in_bytes") << "2000000\n";
  EXPECT_EQ(cgroup_memory_limit(root), 2'000'000u);
  fs::remove_all(root);
}

TEST(ResponseHead, RequestIdIsSentOnce) {
  http::Response response;
  const HeadExtras extras = {.date = "d", .request_id = "SESSION", .content_length = 0};
  EXPECT_NE(write_head(response, extras).find("x-amz-request-id: SESSION"), std::string::npos);
  response.set("x-amz-request-id", "HANDLER");
  EXPECT_EQ(write_head(response, extras).find("SESSION"), std::string::npos);
}

TEST(ResponseHead, Date) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace outcrop::server
