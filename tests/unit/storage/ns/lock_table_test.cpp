#include "storage/ns/lock_table.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace outcrop::ns {
namespace {

LockPlan plan(std::initializer_list<std::pair<LockName, LockMode>> locks) {
  LockPlan out;
  for (const auto& [name, mode] : locks) {
    out.add(name, mode);
  }
  return out;
}

TEST(LockPlan, SortsAndKeepsTheStrongerMode) {
  const auto taken = plan({{5, LockMode::shared},
                           {2, LockMode::shared},
                           {5, LockMode::exclusive},
                           {5, LockMode::shared}})
                         .take();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].first, 2u);
  EXPECT_EQ(taken[1], std::pair(LockName{5}, LockMode::exclusive));
}

TEST(LockTable, SharedHoldersCoexistAndExclusiveWaits) {
  asio::io_context io(1);
  LockTable table;
  std::vector<std::string> order;
  const auto holder = [&](LockMode mode, std::string label, int turns) -> Task<> {
    CO_TRY(auto held, co_await table.acquire(plan({{1, mode}})));
    order.push_back("+" + label);
    for (int i = 0; i < turns; ++i) {
      co_await asio::post(io.get_executor(), use_async);
    }
    order.push_back("-" + label);
    co_return ok();
  };
  const auto all = [&]() -> Task<> {
    TaskGroup group(io.get_executor());
    group.spawn(holder(LockMode::shared, "s1", 4));
    group.spawn(holder(LockMode::shared, "s2", 2));
    group.spawn(holder(LockMode::exclusive, "x", 1));
    group.spawn(holder(LockMode::shared, "s3", 1));  // behind the exclusive one: no starvation
    co_return co_await group.join();
  };
  ASSERT_TRUE(run_on(io, all()));
  EXPECT_EQ(order,
            (std::vector<std::string>{"+s1", "+s2", "-s2", "-s1", "+x", "-x", "+s3", "-s3"}));
  EXPECT_EQ(table.holders(1), 0u);
}

TEST(LockTable, AThousandWaitersDoNotNest) {
  asio::io_context io(1);
  LockTable table;
  int done = 0;
  const auto one = [&]() -> Task<> {
    CO_TRY(auto held, co_await table.acquire(plan({{1, LockMode::exclusive}})));
    if (done == 0) {
      co_await asio::post(io.get_executor(), use_async);
    }
    ++done;
    co_return ok();
  };
  const auto all = [&]() -> Task<> {
    TaskGroup group(io.get_executor());
    for (int i = 0; i < 20'000; ++i) {
      group.spawn(one());
    }
    co_return co_await group.join();
  };
  ASSERT_TRUE(run_on(io, all()));
  EXPECT_EQ(done, 20'000);
}

// Workers take random lock sets and check that what they protect is not touched by others.
TEST(LockTable, ExcludesAcrossThreadsWithoutDeadlock) {
  constexpr int kThreads = 3;
  constexpr int kTasks = 8;
  constexpr int kRounds = 300;
  constexpr LockName kNames = 6;
  LockTable table;
  struct Protected {
    std::atomic<int> readers{0}, writers{0};
  };
  std::array<Protected, kNames> resources;
  std::atomic<int> violations{0};
  const auto worker = [&](asio::io_context& io, unsigned seed) -> Task<> {
    std::mt19937 random(seed);
    for (int i = 0; i < kRounds; ++i) {
      std::map<LockName, LockMode> wanted;
      LockPlan locks;
      for (unsigned n = 1 + random() % 3; n > 0; --n) {
        const LockName name = random() % kNames;
        const LockMode mode = random() % 2 == 0 ? LockMode::shared : LockMode::exclusive;
        locks.add(name << 56, mode);
        wanted[name] = std::max(mode, wanted.contains(name) ? wanted[name] : LockMode::shared);
      }
      CO_TRY(auto held, co_await table.acquire(std::move(locks)));
      for (const auto& [name, mode] : wanted) {
        Protected& p = resources[name];
        const bool alone = mode == LockMode::exclusive;
        ++(alone ? p.writers : p.readers);
        violations += p.writers > 1 || (p.writers > 0 && p.readers > 0);
      }
      co_await asio::post(io.get_executor(), use_async);
      for (const auto& [name, mode] : wanted) {
        --(mode == LockMode::exclusive ? resources[name].writers : resources[name].readers);
      }
    }
    co_return ok();
  };
  // All contexts outlive all threads: a worker may still be inside a post to one that is done.
  std::array<std::unique_ptr<asio::io_context>, kThreads> workers;
  for (auto& io : workers) {
    io = std::make_unique<asio::io_context>(1);
  }
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      asio::io_context& io = *workers[static_cast<std::size_t>(t)];
      const auto all = [&]() -> Task<> {
        TaskGroup group(io.get_executor());
        for (int i = 0; i < kTasks; ++i) {
          group.spawn(worker(io, static_cast<unsigned>(t * 100 + i)));
        }
        co_return co_await group.join();
      };
      EXPECT_TRUE(run_on(io, all()));
    });
  }
  threads.clear();
  EXPECT_EQ(violations, 0);
}

}  // namespace
}  // namespace outcrop::ns
