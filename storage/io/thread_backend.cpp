// The back end for kernels without io_uring: a pool of threads per worker makes blocking calls;
// finished batches go back to the worker's io_context, as many as there are in one hand-over.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/base/log.h"
#include "storage/io/backends.h"
#include "storage/io/lone_thread.h"
#include "storage/io/syscalls.h"
#include "storage/io/watch.h"

namespace outcrop::io {
namespace {

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
/// Of a worker, in calls that do not return on drives that nobody has given up yet; those of one
/// that was given up become no more.
constexpr unsigned kMostHanging = 64;
/// stop() waits no longer than this for calls to return.
constexpr std::chrono::seconds kStopLimit{10};

struct Batch {
  std::size_t remaining;
  std::move_only_function<void()> done;
};

/// One op. Owns what its call works on, for it may be in the kernel when nobody waits any more.
struct Item {
  enum class Phase : std::uint8_t {
    queued,
    calling,
    lent,  ///< its thread has been replaced, and ends with the call
    done
  };
  IoOp* op;                           // worker only; null: nobody waits
  Batch* batch;                       // worker only
  IoOp call;                          // what a thread sees of it; its result
  std::shared_ptr<const void> share;  // of the descriptor
  std::shared_ptr<DiskHealth> health;
  std::int64_t start_ns = 0;
  std::int64_t took_ns = 0;
  Phase phase = Phase::queued;  // guarded by the core's mutex
  unsigned ticks = 0;           // worker only; in the call
  std::size_t at = kNowhere;    // worker only; in Core::x_waiting
};
using ItemPtr = std::shared_ptr<Item>;

/// Outlives the back end as long as a posted delivery, or a thread that hangs, refers to it.
class Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& io, BlockingTransfer how)
      : x_ex(io.get_executor()), x_how(std::move(how)), x_timer(std::in_place, x_ex) {}

  void start(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      add_thread();
    }
  }
  void set_hedge(unsigned drives) { x_watch.set_hedge(drives); }

  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) {
    if (ops.empty()) {
      asio::post(x_ex, std::move(done));
      return;
    }
    auto batch = std::make_unique<Batch>(ops.size(), std::move(done));
    const std::int64_t now = steady_ns();
    for (IoOp& op : ops) {
      Disk& disk = op.file->disk();
      disk.stats().in_flight.fetch_add(1, std::memory_order_relaxed);
      auto item =
          std::make_shared<Item>(&op, batch.get(), op, op.file->share(), disk.health(), now);
      item->call.result = check_transfer(*op.file, op.offset, op.buffer.view());
      if (disk.health()->given_up()) {
        item->call.result = fail(no_answer(disk));
      }
      const bool over = !item->call.result;
      const std::lock_guard lock(x_mutex);
      if (over) {
        finish_locked(item);
      } else {
        x_queue.push_back({item, op.file->fd(), op.file->direct()});
      }
      item->at = x_waiting.size();
      x_waiting.push_back(std::move(item));
    }
    x_live.emplace(batch.get(), std::move(batch));
    ops.size() == 1 ? x_wake.notify_one() : x_wake.notify_all();
    arm_timer();
  }

  /// Waits for calls in progress, but for those that nobody waits for, and forgets the rest; no
  /// `done` is called after it.
  void stop() {
    x_timer.reset();  // here: a thread that hangs keeps us longer than the io_context lives
    std::unique_lock lock(x_mutex);
    x_stopping = true;
    x_queue.clear();
    x_wake.notify_all();
    if (!x_ended.wait_for(lock, kStopLimit, [this] { return x_threads == x_hanging; })) {
      log::error("transfers that do not return are abandoned", {{"threads", x_threads}});
    }
    lock.unlock();
    drop();
  }

 private:
  struct Call {
    ItemPtr item;
    int fd;
    bool direct;
  };

  void add_thread() {
    const std::lock_guard lock(x_mutex);
    ++x_threads;
    start_lone_thread([self = shared_from_this()] { self->work(); });
  }

  void work() {
    std::unique_lock lock(x_mutex);
    for (;;) {
      x_wake.wait(lock, [this] { return x_stopping || !x_queue.empty(); });
      if (x_queue.empty()) {
        break;
      }
      Call call = std::move(x_queue.front());
      x_queue.pop_front();
      call.item->phase = Item::Phase::calling;
      lock.unlock();
      call.item->call.result = x_how(call.item->call, call.fd, call.direct);
      call.item->took_ns = steady_ns() - call.item->start_ns;
      lock.lock();
      const bool lent = std::exchange(call.item->phase, Item::Phase::done) == Item::Phase::lent;
      finish_locked(std::move(call.item));
      if (lent) {
        --x_hanging;
        break;
      }
    }
    --x_threads;
    x_ended.notify_all();
  }

  void finish_locked(ItemPtr item) {
    x_finished.push_back(std::move(item));
    if (x_finished.size() == 1 && !x_stopping) {
      asio::post(x_ex, [self = shared_from_this()] { self->deliver(); });
    }
  }

  void deliver() {
    std::vector<ItemPtr> finished;
    {
      const std::lock_guard lock(x_mutex);
      if (x_stopping) {
        return;
      }
      finished.swap(x_finished);
    }
    for (const ItemPtr& item : finished) {
      leave(*item);
      if (item->op != nullptr) {
        DiskStats& stats = item->op->file->disk().stats();
        account(stats, item->call.kind, item->call.buffer.size(), item->took_ns,
                item->call.result.has_value());
        complete(*item, std::move(item->call.result));
      }
    }
  }

  void leave(Item& item) {
    const std::size_t at = std::exchange(item.at, kNowhere);
    if (at == kNowhere) {
      return;
    }
    ItemPtr last = std::move(x_waiting.back());
    x_waiting.pop_back();
    if (last.get() != &item) {
      last->at = at;
      x_waiting[at] = std::move(last);
    }
  }

  void complete(Item& item, Result<void> result) {
    item.op->file->disk().stats().in_flight.fetch_sub(1, std::memory_order_relaxed);
    std::exchange(item.op, nullptr)->result = std::move(result);
    if (--item.batch->remaining == 0) {
      auto owned = x_live.extract(item.batch);
      owned.mapped()->done();
    }
  }

  void arm_timer() {
    if (std::exchange(x_timer_armed, true)) {
      return;
    }
    x_timer->expires_after(kWatchTick);
    x_timer->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      self->x_timer_armed = false;
      if (!error && self->x_timer) {
        self->tick();
      }
    });
  }

  // What waits for a thread says nothing of its drive; what is in a call does. A call that is late
  // may not come back for long: another thread takes the place of the one that makes it.
  void age() {
    unsigned lent = 0, hoped_for = 0;
    {
      const std::lock_guard lock(x_mutex);
      for (const ItemPtr& item : x_waiting) {
        hoped_for += item->phase == Item::Phase::lent && !item->health->given_up() ? 1 : 0;
      }
      for (const ItemPtr& item : x_waiting) {
        if (item->phase == Item::Phase::queued || item->phase == Item::Phase::done) {
          continue;
        }
        x_watch.add(item->health, ++item->ticks);
        if (item->phase != Item::Phase::calling || item->ticks < kLateTicks) {
          continue;
        }
        const bool given_up = item->health->given_up();
        if (given_up || hoped_for < kMostHanging) {
          item->phase = Item::Phase::lent;
          hoped_for += given_up ? 0 : 1;
          ++x_hanging;
          ++lent;
        }
      }
    }
    for (; lent > 0; --lent) {
      add_thread();
    }
  }

  void tick() {
    deliver();
    x_watch.begin();
    age();
    x_watch.end(steady_ns());
    const std::vector<ItemPtr> waiting = x_waiting;  // `done` may submit
    for (const ItemPtr& item : waiting) {
      if (item->op == nullptr) {
        if (item->health->given_up() && item->ticks >= kLateTicks) {
          leave(*item);  // its thread has been replaced
        }
        continue;
      }
      const Disk& disk = item->op->file->disk();
      switch (x_watch.verdict(*item->health, item->ticks, item->op->hedged)) {
        case Watch::Verdict::wait:
          break;
        case Watch::Verdict::late:
          abandon(*item, late_answer(disk));
          break;
        case Watch::Verdict::given_up:
          abandon(*item, no_answer(disk));
          break;
      }
    }
    if (!x_waiting.empty()) {
      arm_timer();
    }
  }

  void abandon(Item& item, Error why) {
    bool queued = false;
    {
      const std::lock_guard lock(x_mutex);
      queued = std::erase_if(x_queue, [&](const Call& c) { return c.item.get() == &item; }) != 0;
    }
    if (queued) {
      leave(item);
    }
    complete(item, fail(std::move(why)));
  }

  /// Destroying `done` may run destructors that look at us; so never while we hold the map.
  void drop() {
    auto live = std::exchange(x_live, {});
    live.clear();
    x_waiting.clear();
  }

  const Executor x_ex;
  const BlockingTransfer x_how;
  std::mutex x_mutex;  // guards all to x_stopping
  std::condition_variable x_wake, x_ended;
  std::deque<Call> x_queue;
  std::vector<ItemPtr> x_finished;
  unsigned x_threads = 0, x_hanging = 0;  // hanging: of those, with a call that is lent
  bool x_stopping = false;
  // Worker thread only.
  std::optional<WatchTimer> x_timer;  // until stop()
  bool x_timer_armed = false;  // while something is on its way: it keeps the io_context running
  Watch x_watch;
  std::vector<ItemPtr> x_waiting;
  std::unordered_map<Batch*, std::unique_ptr<Batch>> x_live;
};

class ThreadBackend final : public IoBackend {
 public:
  ThreadBackend(asio::io_context& io, unsigned threads, BlockingTransfer how)
      : x_core(std::make_shared<Core>(io, std::move(how))) {
    x_core->start(threads);
  }
  ~ThreadBackend() override { x_core->stop(); }
  std::string_view name() const override { return "threads"; }
  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) override {
    x_core->submit(ops, std::move(done));
  }
  void set_hedge(unsigned drives) override { x_core->set_hedge(drives); }

 private:
  std::shared_ptr<Core> x_core;
};

}  // namespace

Result<void> transfer(const IoOp& op, int fd, bool direct) {
  switch (op.kind) {
    case OpKind::read: {
      TRY(const std::size_t got, read_fully(fd, direct, op.offset, op.buffer.writable()));
      return got == op.buffer.size() ? ok() : fail(Errc::corrupt, "read past the end of the file");
    }
    case OpKind::write:
      return write_fully(fd, op.offset, op.buffer.view(), op.durable);
    case OpKind::sync:
      return sync_data(fd);
  }
  return fail(Errc::internal);
}

std::unique_ptr<IoBackend> make_thread_backend(asio::io_context& io,
                                               unsigned threads,
                                               BlockingTransfer how) {
  return std::make_unique<ThreadBackend>(io, threads, std::move(how));
}

}  // namespace outcrop::io
