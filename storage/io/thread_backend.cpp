// The back end for kernels without io_uring: a pool of threads per worker makes blocking calls;
// finished batches go back to the worker's io_context, as many as there are in one hand-over.
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "storage/io/backends.h"
#include "storage/io/syscalls.h"

namespace outcrop::io {
namespace {

struct Batch {
  std::atomic<std::size_t> remaining;
  std::move_only_function<void()> done;
};

struct Item {
  IoOp* op;
  Batch* batch;
  std::int64_t start_ns;
};

Result<void> transfer(const IoOp& op) {
  const int fd = op.file->fd();
  TRYV(check_transfer(*op.file, op.offset, op.buffer.view()));
  switch (op.kind) {
    case OpKind::read: {
      TRY(const std::size_t got,
          read_fully(fd, op.file->direct(), op.offset, op.buffer.writable()));
      return got == op.buffer.size() ? ok() : fail(Errc::corrupt, "read past the end of the file");
    }
    case OpKind::write:
      return write_fully(fd, op.offset, op.buffer.view(), op.durable);
    case OpKind::sync:
      return sync_data(fd);
  }
  return fail(Errc::internal);
}

/// Outlives the back end as long as a posted delivery refers to it.
class Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(asio::io_context& io) : x_ex(io.get_executor()) {}
  ~Core() { drop(); }

  void start(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      x_threads.emplace_back([this] { work(); });
    }
  }

  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) {
    if (ops.empty()) {
      asio::post(x_ex, std::move(done));
      return;
    }
    if (x_live.empty()) {
      x_guard.emplace(x_ex);
    }
    auto batch = std::make_unique<Batch>(ops.size(), std::move(done));
    const std::int64_t now = steady_ns();
    {
      const std::lock_guard lock(x_mutex);
      for (IoOp& op : ops) {
        op.file->disk().stats().in_flight.fetch_add(1, std::memory_order_relaxed);
        x_queue.push_back({&op, batch.get(), now});
      }
    }
    x_live.emplace(batch.get(), std::move(batch));
    ops.size() == 1 ? x_wake.notify_one() : x_wake.notify_all();
  }

  /// Waits for calls in progress and forgets the rest; no `done` is called after it.
  void stop() {
    {
      const std::lock_guard lock(x_mutex);
      x_stopping = true;
      x_queue.clear();
    }
    x_wake.notify_all();
    for (std::thread& t : x_threads) {
      t.join();
    }
    drop();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(x_mutex);
      x_wake.wait(lock, [this] { return x_stopping || !x_queue.empty(); });
      if (x_queue.empty()) {
        return;
      }
      const Item item = x_queue.front();
      x_queue.pop_front();
      lock.unlock();
      serve(item);
    }
  }

  void serve(const Item& item) {
    IoOp& op = *item.op;
    op.result = transfer(op);
    DiskStats& stats = op.file->disk().stats();
    account(stats, op.kind, op.buffer.size(), steady_ns() - item.start_ns, op.result.has_value());
    stats.in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (item.batch->remaining.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
    const std::lock_guard lock(x_mutex);
    x_finished.push_back(item.batch);
    if (x_finished.size() == 1 && !x_stopping) {
      asio::post(x_ex, [self = shared_from_this()] { self->deliver(); });
    }
  }

  void deliver() {
    std::vector<Batch*> finished;
    {
      const std::lock_guard lock(x_mutex);
      if (x_stopping) {
        return;
      }
      finished.swap(x_finished);
    }
    for (Batch* batch : finished) {
      auto owned = x_live.extract(batch);
      if (x_live.empty()) {
        x_guard.reset();
      }
      owned.mapped()->done();
    }
  }

  /// Destroying `done` may run destructors that look at us; so never while we hold the map.
  void drop() {
    auto live = std::exchange(x_live, {});
    live.clear();
    x_guard.reset();
  }

  const Executor x_ex;
  std::vector<std::thread> x_threads;
  std::mutex x_mutex;  // guards x_queue, x_finished, x_stopping
  std::condition_variable x_wake;
  std::deque<Item> x_queue;
  std::vector<Batch*> x_finished;
  bool x_stopping = false;
  // Worker thread only.
  std::unordered_map<Batch*, std::unique_ptr<Batch>> x_live;
  std::optional<asio::executor_work_guard<Executor>> x_guard;
};

class ThreadBackend final : public IoBackend {
 public:
  ThreadBackend(asio::io_context& io, unsigned threads) : x_core(std::make_shared<Core>(io)) {
    x_core->start(threads);
  }
  ~ThreadBackend() override { x_core->stop(); }
  std::string_view name() const override { return "threads"; }
  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) override {
    x_core->submit(ops, std::move(done));
  }

 private:
  std::shared_ptr<Core> x_core;
};

}  // namespace

std::unique_ptr<IoBackend> make_thread_backend(asio::io_context& io, unsigned threads) {
  return std::make_unique<ThreadBackend>(io, threads);
}

}  // namespace outcrop::io
