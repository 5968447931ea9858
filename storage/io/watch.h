// What a back end does about transfers that take long; see health.h. Internal.
#pragma once
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "storage/io/disk.h"

namespace outcrop::io {

inline Error no_answer(const Disk& disk) {
  return Error(Errc::io_error, "drive " + std::string(disk.name()) + " does not answer");
}
inline Error late_answer(const Disk& disk) {
  return Error(Errc::timed_out, "drive " + std::string(disk.name()) + " is late");
}

using WatchTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                              asio::wait_traits<std::chrono::steady_clock>,
                                              Executor>;

/// Used on one worker: at each tick begin(), add() for all transfers that the drive has, end();
/// then the verdicts. What waits for its turn in the back end has seen no tick: it says nothing
/// about its drive, but is late when others are late there.
class Watch {
 public:
  enum class Verdict : std::uint8_t { wait, late, given_up };

  /// Any thread.
  void set_hedge(unsigned drives) { x_hedge.store(drives, std::memory_order_relaxed); }

  void begin() { x_late.clear(); }
  void add(const std::shared_ptr<DiskHealth>& health, unsigned ticks);
  void end(std::int64_t now_ns);
  Verdict verdict(const DiskHealth& health, unsigned ticks, bool hedged) const;

 private:
  struct Late {
    std::shared_ptr<DiskHealth> health;
    bool hung = false;
  };
  bool is_late(const DiskHealth& health) const;

  std::atomic<unsigned> x_hedge{0};
  std::vector<Late> x_late;  // kept for its capacity
};

}  // namespace outcrop::io
