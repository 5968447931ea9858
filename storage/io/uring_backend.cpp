// One io_uring per worker. Ops that arrive in one turn of the io_context are submitted together;
// an eventfd wakes the io_context when there are completions to reap.
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "storage/base/log.h"
#include "storage/io/syscalls.h"
#include "storage/io/uring_core.h"

namespace outcrop::io {
namespace ring {
namespace {

/// A drive that keeps answering EINTR or EAGAIN is broken, not busy.
constexpr unsigned kMaxRetries = 64;
/// Of one drive: seven may hang before the kernel's threads are short.
constexpr std::size_t kMostOfOneDrive = 128;
/// stop() waits no longer than this for the next completion.
constexpr std::chrono::seconds kStopLimit{10};

}  // namespace

void Core::submit(std::span<IoOp> ops, std::move_only_function<void()> done) {
  Batch* batch = x_batches.take();
  batch->remaining = ops.size();
  batch->done = std::move(done);
  if (ops.empty()) {
    x_finished.push_back(batch);
  }
  const std::int64_t now = steady_ns();
  for (IoOp& op : ops) {
    op.file->disk().stats().in_flight.fetch_add(1, std::memory_order_relaxed);
    Flight* flight = x_flights.take();
    flight->op = &op;
    flight->batch = batch;
    flight->hold = op.buffer;
    flight->start_ns = now;
    auto fits = check_transfer(*op.file, op.offset, op.buffer.view());
    if (op.file->disk().health()->given_up()) {
      fits = fail(no_answer(op.file->disk()));
    }
    if (!fits || (op.kind != OpKind::sync && op.buffer.size() == 0)) {
      finish(*flight, std::move(fits));
    } else {
      admit(*flight, lane_of(op.file->disk()));
    }
  }
  schedule();
}

Lane& Core::lane_of(const Disk& disk) {
  const DiskHealth* const health = disk.health().get();
  for (const auto& lane : x_lanes) {
    if (lane->health.get() == health) {
      return *lane;
    }
  }
  x_lanes.push_back(std::make_unique<Lane>(disk.health()));
  return *x_lanes.back();
}

void Core::admit(Flight& flight, Lane& lane) {
  flight.lane = &lane;
  if (lane.taken < kMostOfOneDrive) {
    ++lane.taken;
    x_waiting.push_back(&flight);
  } else {
    lane.held.push_back(&flight);
  }
}

/// A taken one ends: the next of its drive has its place.
void Core::release(Flight& flight) {
  Lane& lane = *std::exchange(flight.lane, nullptr);
  if (lane.held.empty()) {
    --lane.taken;
    return;
  }
  x_waiting.push_back(lane.held.front());
  lane.held.pop_front();
}

/// One pump for all that is submitted in this turn of the io_context.
void Core::schedule() {
  if (x_scheduled || x_reaping) {
    return;
  }
  x_scheduled = true;
  asio::post(x_ex, [self = shared_from_this()] {
    self->x_scheduled = false;
    if (!self->x_stopped) {
      self->pump();
      self->run_finished();
    }
  });
}

void Core::pump() {
  if (!x_enabled) {
    enable();
  }
  // Never more in flight than completions the ring has room for; those that nobody waits for may
  // never come, and the kernel keeps what overflows.
  while (!x_waiting.empty() && x_in_flight - x_abandoned < *x_ring.cq.kring_entries) {
    io_uring_sqe* sqe = io_uring_get_sqe(&x_ring);
    if (sqe == nullptr) {
      submit_ready();
      sqe = io_uring_get_sqe(&x_ring);
    }
    if (sqe == nullptr) {
      break;
    }
    prepare(*sqe, *x_waiting.front());
    x_waiting.pop_front();
    ++x_in_flight;
  }
  submit_ready();
  x_counters.most_in_flight = std::max<std::uint64_t>(x_counters.most_in_flight, x_in_flight);
  if (x_in_flight > 0) {
    arm();
    arm_timer();
  }
}

void Core::submit_ready() {
  while (io_uring_sq_ready(&x_ring) > 0) {
    const int ret = io_uring_submit(&x_ring);
    ++x_counters.enters;
    if (ret == -EINTR) {
      continue;
    }
    if (ret <= 0) {
      // The kernel is short of something; the entries stay in the ring for the next turn.
      OUTCROP_ASSERT(ret == 0 || ret == -EAGAIN || ret == -EBUSY || ret == -ENOMEM);
      schedule();
      return;
    }
  }
}

int Core::fixed_index(const std::byte* from, std::size_t length) const {
  if (from < x_fixed.base || from + length > x_fixed.base + x_fixed.size) {
    return -1;
  }
  const auto offset = static_cast<std::size_t>(from - x_fixed.base);
  const std::size_t piece = offset / kFixedPiece;
  return piece == (offset + length - 1) / kFixedPiece ? static_cast<int>(piece) : -1;
}

void Core::prepare(io_uring_sqe& sqe, Flight& flight) {
  const IoOp& op = *flight.op;
  const int fd = op.file->fd();
  std::byte* from = flight.hold.data() + flight.moved;
  const std::size_t length = flight.hold.size() - flight.moved;
  const std::uint64_t offset = op.offset + flight.moved;
  const auto count = static_cast<unsigned>(std::min<std::size_t>(length, kFixedPiece));
  const int index = op.kind == OpKind::sync ? -1 : fixed_index(from, count);
  switch (op.kind) {
    case OpKind::read:
      index >= 0 ? io_uring_prep_read_fixed(&sqe, fd, from, count, offset, index)
                 : io_uring_prep_read(&sqe, fd, from, count, offset);
      break;
    case OpKind::write:
      index >= 0 ? io_uring_prep_write_fixed(&sqe, fd, from, count, offset, index)
                 : io_uring_prep_write(&sqe, fd, from, count, offset);
      sqe.rw_flags = op.durable ? RWF_DSYNC : 0;
      break;
    case OpKind::sync:
      io_uring_prep_fsync(&sqe, fd, IORING_FSYNC_DATASYNC);
      break;
  }
  if (op.kind != OpKind::sync) {
    ++(index >= 0 ? x_counters.fixed_transfers : x_counters.plain_transfers);
  }
  io_uring_sqe_set_data(&sqe, &flight);
  flight.in_kernel = true;
}

/// Waits for the eventfd only while there is something to wait for, so that an idle ring does not
/// keep the io_context running.
void Core::arm() {
  if (x_armed) {
    return;
  }
  x_armed = true;
  x_event.async_read_some(
      asio::buffer(&x_event_count, sizeof x_event_count),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        self->x_armed = false;
        if (!self->x_stopped && error != asio::error::operation_aborted) {
          self->reap();
        }
      });
}

void Core::arm_timer() {
  if (x_timer_armed) {
    return;
  }
  x_timer_armed = true;
  x_timer.expires_after(kWatchTick);
  x_timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->x_timer_armed = false;
    if (!self->x_stopped && !error) {
      self->tick();
    }
  });
}

// After what has completed by now: the worker may have been away, and not the drive.
void Core::tick() {
  reap();
  x_watch.begin();
  bool more = false;
  for (const auto& flight : x_flights.all()) {
    if (!flight->in_kernel) {
      continue;
    }
    const std::shared_ptr<DiskHealth>& health = flight->lane->health;
    x_watch.add(health, ++flight->ticks);
    more = more || flight->op != nullptr || !health->given_up();
  }
  x_watch.end(steady_ns());
  for (const auto& flight : x_flights.all()) {
    if (flight->op == nullptr) {
      continue;
    }
    const Disk& disk = flight->op->file->disk();
    switch (x_watch.verdict(*disk.health(), flight->ticks, flight->op->hedged)) {
      case Watch::Verdict::wait:
        break;
      case Watch::Verdict::late:
        abandon(*flight, late_answer(disk));
        break;
      case Watch::Verdict::given_up:
        abandon(*flight, no_answer(disk));
        break;
    }
  }
  if (more || !x_waiting.empty()) {
    arm_timer();
  }
  run_finished();
}

void Core::abandon(Flight& flight, Error why) {
  if (!flight.in_kernel) {
    if (std::erase(flight.lane->held, &flight) != 0) {
      flight.lane = nullptr;
    } else {
      std::erase(x_waiting, &flight);
    }
    finish(flight, fail(std::move(why)));
    schedule();  // for who has its place
    return;
  }
  IoOp& op = *flight.op;
  if (why.code() != Errc::timed_out) {
    account(op.file->disk().stats(), op.kind, 0, steady_ns() - flight.start_ns, false);
  }
  op.file->disk().stats().in_flight.fetch_sub(1, std::memory_order_relaxed);
  op.result = fail(std::move(why));
  ++x_abandoned;
  flight.share = op.file->share();  // it may not even be submitted yet
  flight.op = nullptr;
  Batch* const batch = std::exchange(flight.batch, nullptr);
  if (--batch->remaining == 0) {
    x_finished.push_back(batch);
  }
}

void Core::reap() {
  x_reaping = true;
  if ((x_flags & IORING_SETUP_DEFER_TASKRUN) != 0) {
    io_uring_get_events(&x_ring);
  }
  io_uring_cqe* cqe = nullptr;
  while (io_uring_peek_cqe(&x_ring, &cqe) == 0) {
    auto* flight = static_cast<Flight*>(io_uring_cqe_get_data(cqe));
    const int res = cqe->res;
    io_uring_cqe_seen(&x_ring, cqe);
    --x_in_flight;
    complete(*flight, res);
  }
  run_finished();
  x_reaping = false;
  pump();
  if (!x_finished.empty()) {
    schedule();
  }
}

void Core::complete(Flight& flight, int res) {
  flight.in_kernel = false;
  if (flight.op == nullptr) {
    --x_abandoned;
    release(flight);
    x_flights.give(&flight);
    return;
  }
  if (take_up_again(flight, res)) {
    x_waiting.push_front(&flight);
    return;
  }
  if (res < 0) {
    finish(flight, fail_errno(-res));
  } else if (flight.op->kind == OpKind::sync || flight.moved == flight.hold.size()) {
    finish(flight, ok());
  } else if (flight.op->kind == OpKind::read) {
    finish(flight, fail(Errc::corrupt, "read past the end of the file"));
  } else {
    finish(flight, fail(Errc::io_error, EIO));
  }
}

/// Books what was moved; true if the op goes on.
bool Core::take_up_again(Flight& flight, int res) {
  const IoOp& op = *flight.op;
  if ((res == -EINTR || res == -EAGAIN) && flight.retries < kMaxRetries) {
    ++flight.retries;
    return true;
  }
  if (res <= 0 || op.kind == OpKind::sync) {
    return false;
  }
  flight.moved += static_cast<std::size_t>(res);
  const bool can_continue = !op.file->direct() || flight.moved % kIoAlign == 0;
  if (flight.moved == flight.hold.size() || !can_continue) {
    return false;
  }
  ++x_counters.continued;
  return true;
}

void Core::finish(Flight& flight, Result<void> result) {
  IoOp& op = *flight.op;
  DiskStats& stats = op.file->disk().stats();
  account(stats, op.kind, flight.hold.size(), steady_ns() - flight.start_ns, result.has_value());
  stats.in_flight.fetch_sub(1, std::memory_order_relaxed);
  op.result = std::move(result);
  Batch* batch = flight.batch;
  if (flight.lane != nullptr) {
    release(flight);
  }
  x_flights.give(&flight);
  if (--batch->remaining == 0) {
    x_finished.push_back(batch);
  }
}

/// `done` may submit again; what that finishes at once is left for the next turn.
void Core::run_finished() {
  std::swap(x_finished, x_calling);
  for (Batch* batch : x_calling) {
    auto done = std::move(batch->done);
    x_batches.give(batch);
    done();
  }
  x_calling.clear();
}

/// Waits for every completion; no `done` is called after it. The coroutines that wait for us are
/// owned by our batches, so their ops and files live until the end of this.
void Core::stop() {
  if (!x_open || std::exchange(x_stopped, true)) {
    return;
  }
  x_timer.cancel();
  std::size_t in_kernel = x_in_flight - io_uring_sq_ready(&x_ring);
  while (in_kernel > x_abandoned) {
    io_uring_cqe* cqe = nullptr;
    __kernel_timespec limit{.tv_sec = kStopLimit.count(), .tv_nsec = 0};
    const int ret = io_uring_wait_cqe_timeout(&x_ring, &cqe, &limit);
    if (ret == 0) {
      const auto* flight = static_cast<const Flight*>(io_uring_cqe_get_data(cqe));
      x_abandoned -= flight != nullptr && flight->op == nullptr ? 1 : 0;
      in_kernel -= flight != nullptr ? 1 : 0;
      io_uring_cqe_seen(&x_ring, cqe);
    } else if (ret != -EINTR) {
      log::error("io_uring: cannot wait for transfers in flight; their memory is abandoned",
                 {{"transfers", in_kernel}, {"error", errno_error(-ret).describe()}});
      x_abandoned = in_kernel;
    }
  }
  if (x_abandoned > 0) {
    x_flights.leak();
  }
  boost::system::error_code ignored;
  x_event.close(ignored);
  io_uring_queue_exit(&x_ring);
  x_batches.clear();
}

}  // namespace ring

namespace {

class RingBackend final : public UringBackend {
 public:
  explicit RingBackend(std::shared_ptr<ring::Core> core) : x_core(std::move(core)) {}
  ~RingBackend() override { x_core->stop(); }
  std::string_view name() const override { return "uring"; }
  void submit(std::span<IoOp> ops, std::move_only_function<void()> done) override {
    x_core->submit(ops, std::move(done));
  }
  void set_hedge(unsigned drives) override { x_core->set_hedge(drives); }
  UringCounters counters() const override { return x_core->counters(); }

 private:
  std::shared_ptr<ring::Core> x_core;
};

}  // namespace

Result<std::unique_ptr<UringBackend>> make_uring_backend(asio::io_context& io,
                                                         UringOptions options) {
  auto core = std::make_shared<ring::Core>(io);
  TRYV(core->open(options));
  return std::make_unique<RingBackend>(std::move(core));
}

}  // namespace outcrop::io
