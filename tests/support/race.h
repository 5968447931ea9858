// Runs coroutines on several workers at once, each with a thread and an io_context of its own.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/worker.h"

namespace outcrop::test {

/// body(task number) -> Task<>, `tasks` times on each of `threads` workers; returns when all ended.
template <class Body>
void run_race(unsigned threads, unsigned tasks, Body body) {
  // All contexts outlive all threads: a worker may still be inside a post to one that is done.
  std::vector<std::unique_ptr<asio::io_context>> workers;
  std::vector<std::jthread> running;
  for (unsigned t = 0; t < threads; ++t) {
    workers.push_back(std::make_unique<asio::io_context>(1));
  }
  for (unsigned t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      set_worker_index(t);
      asio::io_context& worker = *workers[t];
      const auto all = [&]() -> Task<> {
        TaskGroup group(worker.get_executor());
        for (unsigned i = 0; i < tasks; ++i) {
          group.spawn(body(t * tasks + i));
        }
        co_return co_await group.join();
      };
      const auto result = run_on(worker, all());
      EXPECT_TRUE(result) << result.error().describe();
    });
  }
}

}  // namespace outcrop::test
