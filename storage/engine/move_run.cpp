#include "storage/engine/move_run.h"

namespace outcrop::engine {

Rate rate_of(std::uint64_t bytes_done, std::uint64_t bytes_left, std::int64_t elapsed_ns) {
  constexpr double kSecondNs = 1e9;
  Rate out;
  if (elapsed_ns > 0) {
    out.bytes_per_second =
        static_cast<double>(bytes_done) / (static_cast<double>(elapsed_ns) / kSecondNs);
  }
  if (out.bytes_per_second > 0) {
    out.seconds_left = static_cast<double>(bytes_left) / out.bytes_per_second;
  }
  return out;
}

void LeftAlone::expire(std::int64_t now) {
  std::erase_if(x_segments, [now](const auto& entry) { return now >= entry.second.until; });
}

bool LeftAlone::empty(SegmentId segment) const {
  const auto at = x_segments.find(segment);
  return at != x_segments.end() && at->second.empty;
}

std::set<SegmentId> LeftAlone::garbage() const {
  std::set<SegmentId> out;
  for (const auto& [segment, entry] : x_segments) {
    if (entry.empty) {
      out.insert(segment);
    }
  }
  return out;
}

}  // namespace outcrop::engine
