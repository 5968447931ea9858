// When a drive that was away is taken back. The first time soon; one that leaves again within an
// hour of its return, or fails while it is taken back, waits twice as long each time, up to an
// hour: a cable that is loose costs a few epochs an hour, and not a few a second.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "storage/base/ids.h"

namespace outcrop::engine {

/// By drive; times are steady, in nanoseconds. One thread.
class ReturnPolicy {
 public:
  /// One that stays for so long after its return is like any other.
  static constexpr std::int64_t kProvingNs = 3'600'000'000'000;
  static constexpr std::int64_t kMostWaitNs = 3'600'000'000'000;
  /// After the first time that something goes wrong.
  static constexpr std::int64_t kAgainNs = 30'000'000'000;

  explicit ReturnPolicy(std::int64_t first_wait_ns) : x_first_wait_ns(first_wait_ns) {}

  /// It is not live; to be called again and again.
  void away(const Uuid& drive, std::int64_t now);
  /// It is live; so, too.
  void here(const Uuid& drive);
  void forget(const Uuid& drive) { x_drives.erase(drive); }
  bool due(const Uuid& drive, std::int64_t now) const;
  void returned(const Uuid& drive, std::int64_t now);
  /// It was there, and could not be taken back.
  void failed(const Uuid& drive, std::int64_t now, std::string why);
  /// It has to wait for what is none of its fault: two seconds, then twice as long each time, up to
  /// a minute. What is let go for it costs something.
  void waits(const Uuid& drive, std::int64_t now, std::string why);
  /// One line for the operator, of a drive that is away.
  std::string tell(const Uuid& drive, std::int64_t now) const;

 private:
  struct Drive {
    bool is_away = false;
    unsigned strikes = 0, waits = 0;
    std::int64_t next = 0, returned = 0;
    std::string why;  ///< it is not back
  };
  std::int64_t wait(unsigned strikes) const;

  const std::int64_t x_first_wait_ns;
  std::map<Uuid, Drive> x_drives;
};

}  // namespace outcrop::engine
