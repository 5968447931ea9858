// Background work of the engine: a step that runs again and again on one worker.
#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "storage/base/async.h"

namespace outcrop::engine {

class Periodic {
 public:
  /// `step` runs `pause` after the one before has ended; what goes wrong in it is logged, with
  /// `what` it was, but not that it was cancelled. Everything on `ex`'s worker.
  Periodic(Executor ex,
           std::chrono::milliseconds pause,
           std::string what,
           std::function<Task<>()> step)
      : x_ex(ex), x_timer(ex), x_pause(pause), x_what(std::move(what)), x_step(std::move(step)) {}
  ~Periodic();
  Periodic(const Periodic&) = delete;

  void start();
  /// Waits for the step under way; none begins after it.
  Task<> stop();

 private:
  Async<> loop();

  const Executor x_ex;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>,
                             Executor>
      x_timer;
  const std::chrono::milliseconds x_pause;
  const std::string x_what;
  const std::function<Task<>()> x_step;
  bool x_runs = false, x_stopping = false;
  Resume<void> x_stopped;
};

}  // namespace outcrop::engine
