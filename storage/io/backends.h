// The kernel back ends behind make_backend, with the knobs that tests turn. Internal.
#pragma once
#include "storage/io/disk.h"

namespace outcrop::io {

/// How the ring hands completions over: the newest way the kernel has, or a given one.
enum class RingMode : std::uint8_t { newest, deferred, cooperative, plain };

struct UringOptions {
  unsigned entries = 512;  ///< submission queue; the completion queue, twice that, bounds in flight
  RingMode mode = RingMode::newest;
};

/// Counted on the worker; read there.
struct UringCounters {
  std::uint64_t enters = 0;           ///< io_uring_enter calls that submitted
  std::uint64_t fixed_transfers = 0;  ///< from registered buffers
  std::uint64_t plain_transfers = 0;
  std::uint64_t continued = 0;  ///< short transfers taken up again
  std::uint64_t most_in_flight = 0;
};

class UringBackend : public IoBackend {
 public:
  virtual UringCounters counters() const = 0;
};

/// io_error with the errno when the kernel refuses (EPERM, ENOSYS: blocked or absent). May be
/// called on any thread before the worker runs `io`; destroy it on the worker, or with nothing in
/// flight.
Result<std::unique_ptr<UringBackend>> make_uring_backend(asio::io_context& io,
                                                         UringOptions options = {});
/// What a thread does for an op; may block for ever.
using BlockingTransfer = std::function<Result<void>(const IoOp& op, int fd, bool direct)>;
Result<void> transfer(const IoOp& op, int fd, bool direct);
std::unique_ptr<IoBackend> make_thread_backend(asio::io_context& io,
                                               unsigned threads,
                                               BlockingTransfer how = transfer);

}  // namespace outcrop::io
