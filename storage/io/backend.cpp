// Choice of the back end, and the coroutine door to any of them.
#include "storage/base/async.h"
#include "storage/base/log.h"
#include "storage/io/backends.h"

namespace outcrop::io {
namespace {

/// Enough to keep several drives busy with syncs; a worker of the thread back end is latency-bound.
constexpr unsigned kThreadsPerWorker = 8;

void log_fallback_once(const Error& why) {
  static std::atomic<bool> logged{false};
  if (!logged.exchange(true)) {
    log::warn(
        "io_uring is not available: drives are served by threads, slower but safe "
        "(in a container, allow the io_uring system calls)",
        {{"error", why.describe()}});
  }
}

}  // namespace

Async<> run(IoBackend& backend, std::span<IoOp> ops) {
  if (ops.empty()) {
    co_return;
  }
  // The wake-up carries nothing: every op has its own result.
  const Result<void> woken = co_await suspend<void>([&backend, ops](Resume<void> resume) {
    backend.submit(ops, [resume = std::move(resume)]() mutable { resume(ok()); });
  });
  OUTCROP_ASSERT(woken.has_value());
}

Result<std::unique_ptr<IoBackend>> make_backend(BackendKind kind, asio::io_context& io) {
  if (kind != BackendKind::threads) {
    auto ring = make_uring_backend(io);
    if (ring) {
      return std::move(*ring);
    }
    if (kind == BackendKind::uring) {
      return fail(ring.error());
    }
    log_fallback_once(ring.error());
  }
  return make_thread_backend(io, kThreadsPerWorker);
}

}  // namespace outcrop::io
