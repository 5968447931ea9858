#include "storage/digest/md5_engine.h"

namespace outcrop::digest {
namespace {

// Up to this many streams the scalar code is as fast as a vector pass.
constexpr unsigned kStreamsInline = 2;
// After this many full batches in a row the engine tries to wait for one lane more.
constexpr unsigned kProbeAfter = 16;

}  // namespace

Md5Engine::Stream::~Stream() {
  --x_engine.x_streams;
  // The others may have been waiting for this one.
  if (!x_engine.x_queue.empty() && x_engine.x_queue.size() >= x_engine.lanes_wanted()) {
    x_engine.run_all();
  }
}

Md5Engine::Md5Engine(asio::io_context& io, Md5Kernel kernel)
    : x_io(io), x_kernel(kernel), x_timer(io) {
  x_queue.reserve(kLanesWanted);
}

Md5Engine::~Md5Engine() { OUTCROP_ASSERT(x_streams == 0 && x_queue.empty()); }

Async<> Md5Engine::update(Md5State& state, ConstBytes data) {
  if (data.empty()) {
    co_return;
  }
  // A small object whose body came with its head is a stream only while it is hashed: others may be
  // ready in this turn, and the number of streams says nothing about them.
  const bool small = data.size() <= kSmallChunk && state.length == 0;
  if (x_kernel == Md5Kernel::scalar || (!small && x_streams <= kStreamsInline && x_queue.empty())) {
    md5_update(state, data);
    co_return;
  }
  // The lane that completes the batch hashes it for all and goes on without a suspension.
  if (x_queue.size() + 1 >= (small ? kLanesWanted : lanes_wanted())) {
    x_full_batches++;
    if (x_full_batches >= kProbeAfter && x_target < kLanesWanted) {
      ++x_target;
      x_full_batches = 0;
    }
    std::vector<Waiting> batch = std::exchange(x_queue, {});
    batch.push_back({{&state, data}, {}, {}});
    hash(std::move(batch));
    co_return;
  }
  const Result<void> done = co_await suspend<void>(
      [&](Resume<void> resume) { enqueue({{&state, data}, std::move(resume), Clock::now()}); });
  OUTCROP_ASSERT(done.has_value());
}

unsigned Md5Engine::lanes_wanted() const {
  return std::max(1U, std::min({kLanesWanted, x_streams, x_target}));
}

void Md5Engine::enqueue(Waiting waiting) {
  const bool small = waiting.lane.data.size() <= kSmallChunk;
  x_queue.push_back(std::move(waiting));
  if (!small) {
    arm_timer();
    return;
  }
  // Posted handlers run after everything that was ready in this turn.
  if (!x_turn_end_posted) {
    x_turn_end_posted = true;
    asio::post(x_io, [this] {
      x_turn_end_posted = false;
      run_small();
    });
  }
}

void Md5Engine::arm_timer() {
  // Never cancelled: a timer that fires late re-arms itself, which is at most one system call per
  // kWaitMax instead of two per batch.
  if (x_timer_armed || x_queue.empty()) {
    return;
  }
  x_timer_armed = true;
  x_timer.expires_at(x_queue.front().since + kWaitMax);
  x_timer.async_wait([this](boost::system::error_code error) {
    if (error) {
      return;  // the engine is gone
    }
    x_timer_armed = false;
    on_timer();
  });
}

void Md5Engine::on_timer() {
  if (x_queue.empty()) {
    return;
  }
  if (Clock::now() < x_queue.front().since + kWaitMax) {
    arm_timer();
    return;
  }
  // Some streams stall: wait for as many lanes as came this time, and probe upwards from there.
  x_target = std::max(1U, static_cast<unsigned>(x_queue.size()));
  x_full_batches = 0;
  run_all();
}

void Md5Engine::run_small() {
  std::vector<Waiting> batch;
  const auto is_small = [](const Waiting& w) { return w.lane.data.size() <= kSmallChunk; };
  for (Waiting& waiting : x_queue) {
    if (is_small(waiting)) {
      batch.push_back(std::move(waiting));
      waiting.lane.data = {};
    }
  }
  std::erase_if(x_queue, [](const Waiting& w) { return w.lane.data.empty(); });
  if (!batch.empty()) {
    hash(std::move(batch));
  }
}

void Md5Engine::run_all() { hash(std::exchange(x_queue, {})); }

void Md5Engine::hash(std::vector<Waiting> batch) {
  std::vector<Md5Lane> lanes(batch.size());
  std::ranges::transform(batch, lanes.begin(), &Waiting::lane);
  md5_update_lanes(lanes, x_kernel);
  x_lanes_hashed += lanes.size();
  ++x_batches_run;
  // Resumed from the event loop, not from here: a resumed upload may come back with its next chunk
  // at once, and the stack must not grow with that.
  asio::post(x_io, [batch = std::move(batch)]() mutable {
    for (Waiting& waiting : batch) {
      if (waiting.resume) {
        waiting.resume(ok());
      }
    }
  });
}

}  // namespace outcrop::digest
