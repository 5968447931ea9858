// Md5Engine: gathers the MD5 work of all uploads of one worker into vector lanes.
// One per worker thread; everything here runs on that thread. States: idle (nothing queued), or
// gathering (lanes queued, and a timer or an end-of-turn call pending that will hash them).
#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <vector>

#include "storage/base/async.h"
#include "storage/digest/md5_lanes.h"

namespace outcrop::digest {

class Md5Engine {
 public:
  using Clock = std::chrono::steady_clock;
  /// The most a chunk waits for company. Long against a chunk (60 us for 256 KiB in a full batch),
  /// short against an upload.
  static constexpr std::chrono::microseconds kWaitMax{1000};
  /// Waiting for more lanes than this gains nothing on any processor.
  static constexpr unsigned kLanesWanted = 16;
  /// Chunks up to this size wait only for what is ready in the same turn of the event loop: for a
  /// small object the wait would cost more than the hash.
  static constexpr std::size_t kSmallChunk = 16 * 1024;

  /// An upload that will call update() again and again. Held for as long as its bytes arrive: the
  /// number of streams is how the engine knows how many lanes are worth waiting for.
  class Stream {
   public:
    explicit Stream(Md5Engine& engine) : x_engine(engine) { ++x_engine.x_streams; }
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

   private:
    Md5Engine& x_engine;
  };

  /// Outlives its streams, and is destroyed when `io` runs no more.
  explicit Md5Engine(asio::io_context& io, Md5Kernel kernel = best_md5_kernel());
  ~Md5Engine();
  Md5Engine(const Md5Engine&) = delete;

  /// Adds `data` to `state`; returns when it is hashed.
  /// Lifetimes: both are borrowed until completion; one update per state at a time.
  /// Cancellation: none, it completes within about kWaitMax. Errors: none.
  Async<> update(Md5State& state, ConstBytes data);

  unsigned streams() const { return x_streams; }
  /// Lanes hashed and batches run since the start: their ratio says how well lanes are filled.
  std::uint64_t lanes_hashed() const { return x_lanes_hashed; }
  std::uint64_t batches_run() const { return x_batches_run; }

 private:
  struct Waiting {
    Md5Lane lane;
    Resume<void> resume;
    Clock::time_point since;
  };

  unsigned lanes_wanted() const;
  void enqueue(Waiting waiting);
  void arm_timer();
  void on_timer();
  void run_small();
  void run_all();
  void hash(std::vector<Waiting> batch);

  asio::io_context& x_io;
  Md5Kernel x_kernel;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> x_timer;
  std::vector<Waiting> x_queue;
  unsigned x_streams = 0;
  unsigned x_target = kLanesWanted;  ///< lanes that really come: see on_timer()
  unsigned x_full_batches = 0;       ///< in a row
  bool x_timer_armed = false;
  bool x_turn_end_posted = false;
  std::uint64_t x_lanes_hashed = 0;
  std::uint64_t x_batches_run = 0;
};

}  // namespace outcrop::digest
