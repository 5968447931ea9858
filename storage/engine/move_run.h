// What restriping and rebalancing have in common: how fast a run is, and which segments it leaves
// alone for a while.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "storage/base/ids.h"

namespace outcrop::engine {

/// Of payload, between two looks at whether clients are to go first.
constexpr std::uint64_t kMoveBytesPerTurn = 8 << 20;

struct Rate {
  double bytes_per_second = 0;
  std::optional<double> seconds_left;  ///< empty: not known
};
/// `elapsed_ns` may be 0.
Rate rate_of(std::uint64_t bytes_done, std::uint64_t bytes_left, std::int64_t elapsed_ns);

/// Segments of which nothing more can be moved now. Times are steady. Not synchronized.
class LeftAlone {
 public:
  /// `empty`: garbage collection frees it. What could not be read is tried again after a while.
  void add(SegmentId segment, std::int64_t until, bool empty) {
    x_segments[segment] = {until, empty};
  }
  /// As long as garbage collection may take to free it.
  static constexpr std::int64_t kLongNs = 600'000'000'000;
  void expire(std::int64_t now);
  void clear() { x_segments.clear(); }
  bool contains(SegmentId segment) const { return x_segments.contains(segment); }
  bool empty(SegmentId segment) const;
  std::set<SegmentId> garbage() const;

 private:
  struct Entry {
    std::int64_t until = 0;
    bool empty = false;
  };
  std::map<SegmentId, Entry> x_segments;
};

}  // namespace outcrop::engine
