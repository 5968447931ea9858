// The inside of uring_backend.cpp: its transfers on their way, and what drives the ring. Internal.
#pragma once
#include <liburing.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/io/backends.h"
#include "storage/io/watch.h"

namespace outcrop::io::ring {

/// The kernel's limit for one registered buffer.
inline constexpr std::size_t kFixedPiece = std::size_t{1} << 30;

struct Batch {
  std::size_t remaining = 0;
  std::move_only_function<void()> done;
};

struct Flight;

/// The transfers of one drive: so many at most are in the ring or the kernel, so that those of a
/// drive that hangs leave the kernel's threads to the others.
struct Lane {
  std::shared_ptr<DiskHealth> health;  ///< whose drive it is
  std::size_t taken = 0;
  std::deque<Flight*> held;  ///< beyond that
};

/// One op between submit() and its last completion.
struct Flight {
  IoOp* op = nullptr;  ///< null: nobody waits for it, but the kernel is not done with it
  Batch* batch = nullptr;
  Buffer hold;  ///< the memory the kernel may touch, whatever becomes of the op
  std::size_t moved = 0;
  std::int64_t start_ns = 0;
  unsigned retries = 0;
  unsigned ticks = 0;
  bool in_kernel = false;
  Lane* lane = nullptr;               ///< once it is taken or held there
  std::shared_ptr<const void> share;  ///< of the descriptor, once nobody waits
};

/// Objects that are reused instead of freed: no allocation per operation in steady state.
template <class T>
class Recycler {
 public:
  T* take() {
    if (x_free.empty()) {
      x_all.push_back(std::make_unique<T>());
      return x_all.back().get();
    }
    T* item = x_free.back();
    x_free.pop_back();
    return item;
  }
  void give(T* item) {
    *item = T{};
    x_free.push_back(item);
  }
  void clear() {
    x_free.clear();
    x_all.clear();
  }
  const std::vector<std::unique_ptr<T>>& all() const { return x_all; }
  /// For memory that must never be reused: the process keeps it.
  void leak() {
    static std::mutex mutex;
    static auto* const kept = new std::vector<std::unique_ptr<T>>;  // reachable: no leak by mistake
    const std::lock_guard lock(mutex);
    std::ranges::move(x_all, std::back_inserter(*kept));
    clear();
  }

 private:
  std::vector<std::unique_ptr<T>> x_all;
  std::vector<T*> x_free;
};

/// Outlives the back end as long as a posted handler refers to it.
class Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(asio::io_context& io) : x_ex(io.get_executor()), x_event(io), x_timer(x_ex) {}
  ~Core() { stop(); }

  Result<void> open(const UringOptions& options);
  void submit(std::span<IoOp> ops, std::move_only_function<void()> done);
  void stop();
  const UringCounters& counters() const { return x_counters; }
  void set_hedge(unsigned drives) { x_watch.set_hedge(drives); }

 private:
  Result<void> open_ring(const UringOptions& options);
  void register_pool();
  void enable();
  void schedule();
  void pump();
  void submit_ready();
  void prepare(io_uring_sqe& sqe, Flight& flight);
  int fixed_index(const std::byte* from, std::size_t length) const;
  void arm();
  void arm_timer();
  void tick();
  void abandon(Flight& flight, Error why);
  void reap();
  void complete(Flight& flight, int res);
  bool take_up_again(Flight& flight, int res);
  void finish(Flight& flight, Result<void> result);
  Lane& lane_of(const Disk& disk);
  void admit(Flight& flight, Lane& lane);
  void release(Flight& flight);
  void run_finished();

  const Executor x_ex;
  asio::posix::basic_stream_descriptor<Executor> x_event;
  std::uint64_t x_event_count = 0;  // where the eventfd is read to
  io_uring x_ring{};
  unsigned x_flags = 0;
  bool x_open = false;     // x_ring is initialised
  bool x_enabled = false;  // the worker has taken the ring over
  bool x_stopped = false;
  bool x_armed = false;         // a read of the eventfd is pending
  bool x_scheduled = false;     // a pump is posted
  bool x_reaping = false;       // reap() will pump at its end
  PoolRegion x_fixed;           // the registered part of the pool
  std::size_t x_in_flight = 0;  // SQEs prepared and not yet completed
  std::size_t x_abandoned = 0;  // of those: nobody waits for them
  WatchTimer x_timer;
  bool x_timer_armed = false;
  Watch x_watch;
  std::deque<Flight*> x_waiting;
  std::vector<std::unique_ptr<Lane>> x_lanes;
  std::vector<Batch*> x_finished;
  std::vector<Batch*> x_calling;  // run_finished() is at these; kept for its capacity
  Recycler<Flight> x_flights;
  Recycler<Batch> x_batches;
  UringCounters x_counters;
};

}  // namespace outcrop::io::ring
