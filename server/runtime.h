// The workers: one io_context and one thread per core. A request stays on the worker that accepted
// its connection. The main thread only waits: for start-up work it hands over, and for signals.
#pragma once
#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/async.h"

namespace outcrop::server {

class Runtime {
 public:
  /// `workers` 0: one per core this process may use.
  explicit Runtime(unsigned workers);
  /// Joins; everything spawned on a worker must have ended.
  ~Runtime();
  Runtime(const Runtime&) = delete;

  /// Starts the threads. What must be bound to a worker before it runs is set up earlier.
  void start();
  /// Lets the workers run out of work and joins them.
  void join();
  bool running() const { return x_running; }

  unsigned workers() const { return static_cast<unsigned>(x_workers.size()); }
  asio::io_context& io(unsigned worker) { return x_workers[worker]->io; }
  BlockingPool& pool() { return x_pool; }
  std::vector<asio::io_context*> contexts();

  /// Runs `body` on a worker; the future is for a thread that is not a worker.
  template <class T>
  std::future<T> start_on(unsigned worker, Async<T> body) {
    auto promise = std::make_shared<std::promise<T>>();
    asio::co_spawn(io(worker), std::move(body), [promise](std::exception_ptr thrown, T value) {
      if (thrown) {
        promise->set_exception(std::move(thrown));
      } else {
        promise->set_value(std::move(value));
      }
    });
    return promise->get_future();
  }
  template <class T>
  T run_on(unsigned worker, Async<T> body) {
    return start_on(worker, std::move(body)).get();
  }

  /// Blocks until SIGTERM or SIGINT; from then on a second one ends the process at once. Signals
  /// must have been blocked by block_signals() before any thread was started.
  static void wait_for_stop_signal();
  static void block_signals();
  /// As if SIGTERM had come.
  static void stop_process();
  /// As many descriptors as this process may have: connections and table files need them.
  static void raise_descriptor_limit();

 private:
  struct Worker {
    asio::io_context io{1};
    asio::executor_work_guard<Executor> guard = asio::make_work_guard(io);
    std::thread thread;
  };
  std::vector<std::unique_ptr<Worker>> x_workers;
  BlockingPool x_pool;
  bool x_running = false;
};

}  // namespace outcrop::server
