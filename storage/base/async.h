// Building blocks for coroutines: suspend until a callback, run blocking work on a pool, nurseries.
#pragma once
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "storage/base/task.h"

namespace outcrop {

/// Wakes one suspended coroutine, once, from any thread. The coroutine resumes on its own
/// executor: inline when called on that worker's thread, posted otherwise. Keeps the io_context
/// running until it is called or destroyed. Must be called exactly once.
template <class T>
class Resume {
 public:
  Resume() = default;
  template <class Handler>
  explicit Resume(Handler handler, Executor ex)
      : x_fn([h = std::move(handler), guard = asio::make_work_guard(ex)](Result<T> r) mutable {
          const Executor target = guard.get_executor();
          asio::dispatch(target, [h = std::move(h), r = std::move(r)]() mutable {
            std::move(h)(std::move(r));
          });
        }) {}
  explicit operator bool() const { return static_cast<bool>(x_fn); }
  void operator()(Result<T> result) {
    auto fn = std::move(x_fn);
    fn(std::move(result));
  }

 private:
  std::move_only_function<void(Result<T>)> x_fn;
};

/// Suspends the caller and hands `start` the Resume that wakes it. `start` runs at once, on the
/// caller's thread; it may call the Resume before returning.
template <class T, class Start>
Task<T> suspend(Start start) {
  const Executor ex = co_await asio::this_coro::executor;
  auto initiate = [&start, ex](auto handler) { start(Resume<T>(std::move(handler), ex)); };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Result<T>)>(
      initiate, use_async);
}

/// Threads for calls that block (RocksDB misses, directory operations). `threads == 0` runs the
/// work inline on the caller: deterministic simulation uses that.
class BlockingPool {
 public:
  explicit BlockingPool(unsigned threads);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;

  /// Runs `fn` (returning Result<T>) on a pool thread; resumes on the caller's executor.
  template <class Fn>
  auto run(Fn fn) -> Task<typename std::invoke_result_t<Fn>::value_type> {
    using T = typename std::invoke_result_t<Fn>::value_type;
    if (!x_pool) {
      co_return fn();
    }
    co_return co_await suspend<T>([this, &fn](Resume<T> resume) {
      post([&fn, resume = std::move(resume)]() mutable { resume(fn()); });
    });
  }
  /// Fire and forget; the pool's destructor waits for it.
  void post(std::move_only_function<void()> work);

 private:
  std::unique_ptr<asio::thread_pool> x_pool;
};

/// Children that cannot outlive their parent: spawn any number, then join() exactly once before
/// the group is destroyed. All children and the parent run on one worker. The first error is what
/// join() returns; other children are left to finish (storage work is never half-cancelled).
class TaskGroup {
 public:
  explicit TaskGroup(Executor ex) : x_ex(ex) {}
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;

  void spawn(Task<> child);
  Task<> join();
  int live() const { return x_live; }

 private:
  Executor x_ex;
  int x_live = 0;
  std::exception_ptr x_thrown;
  Result<void> x_first;
  Resume<void> x_joiner;
};

/// Runs `body` on a fresh io_context in this thread and returns its result. Start-up and tests.
template <class T>
Result<T> run_sync(Task<T> body);

template <class T>
Result<T> run_on(asio::io_context& io, Task<T> body) {
  Result<T> out;
  bool finished = false;
  asio::co_spawn(io.get_executor(), std::move(body), [&](std::exception_ptr e, Result<T> r) {
    if (e) {
      std::rethrow_exception(e);
    }
    out = std::move(r);
    finished = true;
  });
  io.restart();
  while (!finished && io.run_one() > 0) {
  }
  return out;
}

template <class T>
Result<T> run_sync(Task<T> body) {
  asio::io_context io(1);
  return run_on(io, std::move(body));
}

}  // namespace outcrop
