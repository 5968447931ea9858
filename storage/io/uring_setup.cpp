// How a worker's io_uring is made: the modes that the kernel has, the registered buffers, the
// threads.
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/base/log.h"
#include "storage/io/syscalls.h"
#include "storage/io/uring_core.h"

namespace outcrop::io::ring {
namespace {

constexpr unsigned kMostKernelThreads = 1024;

}  // namespace

Result<void> Core::open(const UringOptions& options) {
  TRYV(open_ring(options));
  x_open = true;
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event < 0) {
    return fail_errno(errno);
  }
  boost::system::error_code error;
  x_event.assign(event, error);
  if (error) {
    ::close(event);
    return fail(Errc::io_error, error.value());
  }
  if (const int ret = io_uring_register_eventfd(&x_ring, event); ret != 0) {
    return fail_errno(-ret);
  }
  register_pool();
  return ok();
}

Result<void> Core::open_ring(const UringOptions& options) {
  // Deferred: completions are processed when the worker asks, never by interrupting it (6.1);
  // the ring is enabled later, on the worker, for only the enabling thread may submit.
  constexpr unsigned kDeferred =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
  constexpr unsigned kCooperative = IORING_SETUP_COOP_TASKRUN;  // 5.19
  std::vector<unsigned> ways;
  switch (options.mode) {
    case RingMode::newest:
      ways = {kDeferred, kCooperative, 0};
      break;
    case RingMode::deferred:
      ways = {kDeferred};
      break;
    case RingMode::cooperative:
      ways = {kCooperative};
      break;
    case RingMode::plain:
      ways = {0};
      break;
  }
  int ret = 0;
  for (const unsigned flags : ways) {
    ret = io_uring_queue_init(options.entries, &x_ring, flags);
    if (ret == 0) {
      x_flags = flags;
      return ok();
    }
    if (ret != -EINVAL) {
      break;
    }
  }
  return fail(Errc::io_error, -ret);
}

void Core::register_pool() {
  const PoolRegion pool = buffer_pool_region();
  std::vector<iovec> pieces;
  for (std::size_t at = 0; at < pool.size; at += kFixedPiece) {
    pieces.push_back({pool.base + at, std::min(kFixedPiece, pool.size - at)});
  }
  if (pieces.empty()) {
    return;
  }
  const int ret =
      io_uring_register_buffers(&x_ring, pieces.data(), static_cast<unsigned>(pieces.size()));
  if (ret == 0) {
    x_fixed = pool;
    return;
  }
  static std::atomic<bool> logged{false};
  if (!logged.exchange(true)) {
    log::warn(
        "the buffer pool is not registered with io_uring: a little more CPU per transfer "
        "(raise the locked-memory limit, ulimit -l)",
        {{"error", errno_error(-ret).describe()}});
  }
}

void Core::enable() {
  x_enabled = true;
  if ((x_flags & IORING_SETUP_R_DISABLED) != 0) {
    // io_uring_enable_rings() is declared but not exported by liburing 2.3 (Debian 12).
    OUTCROP_ASSERT(::syscall(SYS_io_uring_register, x_ring.ring_fd, IORING_REGISTER_ENABLE_RINGS,
                             nullptr, 0) == 0);
  }
  // Durable writes are made by threads of the kernel, four for each core if it is not told: a drive
  // that hangs would soon have them all. Kernels before 5.15 cannot be told.
  std::array<unsigned, 2> most{kMostKernelThreads, 0};
  io_uring_register_iowq_max_workers(&x_ring, most.data());
}

}  // namespace outcrop::io::ring
