#include "server/runtime.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "storage/base/log.h"
#include "storage/base/worker.h"

namespace outcrop::server {
namespace {

/// Blocking work waits for drives, not for cores.
constexpr unsigned kPoolThreads = 16;

/// Cores of this process's affinity mask, which containers and taskset narrow.
unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return std::max(1u, std::thread::hardware_concurrency());
  }
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Runtime::Runtime(unsigned workers) : x_pool(kPoolThreads) {
  const unsigned count = workers > 0 ? workers : usable_cores();
  for (unsigned i = 0; i < count; ++i) {
    x_workers.push_back(std::make_unique<Worker>());
  }
}

Runtime::~Runtime() { join(); }

std::vector<asio::io_context*> Runtime::contexts() {
  std::vector<asio::io_context*> out;
  for (const std::unique_ptr<Worker>& w : x_workers) {
    out.push_back(&w->io);
  }
  return out;
}

void Runtime::start() {
  x_running = true;
  for (unsigned i = 0; i < workers(); ++i) {
    Worker& w = *x_workers[i];
    w.thread = std::thread([&w, i] {
      set_worker_index(i);
      w.io.run();
    });
  }
}

void Runtime::join() {
  x_running = false;
  for (const std::unique_ptr<Worker>& w : x_workers) {
    w->guard.reset();
  }
  for (const std::unique_ptr<Worker>& w : x_workers) {
    if (w->thread.joinable()) {
      w->thread.join();
    }
  }
}

void Runtime::block_signals() {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
}

void Runtime::raise_descriptor_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void Runtime::stop_process() { ::kill(::getpid(), SIGTERM); }

void Runtime::wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int signal = 0;
  ::sigwait(&set, &signal);
  log::info("stopping, a second signal ends at once", {{"signal", ::sigabbrev_np(signal)}});
  // The default action ends the process without running anything more: what is acked is safe.
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace outcrop::server
