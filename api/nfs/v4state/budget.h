// Totals over all clients, and the memory that opens and locks may take; private to this folder.
#pragma once
#include <atomic>
#include <cstddef>

#include "api/nfs/v4state/config.h"

namespace outcrop::nfs {

// What one object is accounted with: itself, its nodes in maps, its share of what it refers to.
inline constexpr std::size_t kOwnerBytes = 384;  ///< and its name
inline constexpr std::size_t kOpenBytes = 768;   ///< with the hold of the inode
inline constexpr std::size_t kLockStateBytes = 512;
inline constexpr std::size_t kRangeBytes = 176;

/// Who has no more than this many owners, opens and locks is modest: a part of every total is for
/// such clients alone, so that a few that take all they can get leave something to everybody else.
inline constexpr std::size_t kModestHolding = 64;
inline constexpr std::size_t kModestShareDivisor = 8;

class Budget {
 public:
  explicit Budget(const StateLimits& limits) : x_limits(limits) {}

  bool take_bytes(std::size_t n, bool modest) {
    return take(bytes, n, x_limits.state_bytes, modest);
  }
  void give_bytes(std::size_t n) { bytes -= n; }
  bool take_open(bool modest) {
    if (!take(opens, 1, x_limits.opens, modest)) {
      return false;
    }
    if (!take_bytes(kOpenBytes, modest)) {
      --opens;
      return false;
    }
    return true;
  }
  void give_open() {
    --opens;
    bytes -= kOpenBytes;
  }
  bool take_ranges(std::size_t n, bool modest) {
    if (!take(ranges, n, x_limits.ranges, modest)) {
      return false;
    }
    if (!take_bytes(n * kRangeBytes, modest)) {
      ranges -= n;
      return false;
    }
    return true;
  }
  void give_ranges(std::size_t n) {
    ranges -= n;
    bytes -= n * kRangeBytes;
  }
  /// Someone was refused since the last time this was asked.
  bool pressed() { return x_pressed.exchange(false); }

  std::atomic<std::size_t> bytes = 0, owners = 0, opens = 0, lock_states = 0, ranges = 0,
                           revoked = 0;

 private:
  bool take(std::atomic<std::size_t>& of, std::size_t n, std::size_t limit, bool modest) {
    limit -= modest ? 0 : limit / kModestShareDivisor;
    if (of.fetch_add(n) + n > limit) {
      of -= n;
      x_pressed = true;
      return false;
    }
    return true;
  }
  const StateLimits& x_limits;
  std::atomic<bool> x_pressed = false;
};

}  // namespace outcrop::nfs
