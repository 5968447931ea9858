#include "storage/base/async.h"

#include "storage/base/assert.h"

namespace outcrop {

BlockingPool::BlockingPool(unsigned threads) {
  if (threads > 0) {
    x_pool = std::make_unique<asio::thread_pool>(threads);
  }
}

BlockingPool::~BlockingPool() {
  if (x_pool) {
    x_pool->join();
  }
}

void BlockingPool::post(std::move_only_function<void()> work) {
  if (!x_pool) {
    work();
    return;
  }
  // Errors are values. What throws all the same is a bug, and nobody knows what it left half done:
  // the process ends here, with the stack as it was, and the next start recovers as from a crash.
  asio::post(*x_pool, [work = std::move(work)]() mutable noexcept { work(); });
}

TaskGroup::~TaskGroup() { OUTCROP_ASSERT(x_live == 0); }

void TaskGroup::spawn(Task<> child) {
  ++x_live;
  asio::co_spawn(x_ex, std::move(child), [this](std::exception_ptr thrown, Result<void> result) {
    if (thrown && !x_thrown) {
      x_thrown = thrown;
    }
    if (!thrown && !result && x_first) {
      x_first = std::move(result);
    }
    if (--x_live == 0 && x_joiner) {
      x_joiner(ok());
    }
  });
}

Task<> TaskGroup::join() {
  if (x_live > 0) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_joiner = std::move(r); }));
  }
  if (x_thrown) {
    std::rethrow_exception(x_thrown);
  }
  co_return std::move(x_first);
}

}  // namespace outcrop
