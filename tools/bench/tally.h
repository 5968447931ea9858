// What operations of one kind cost.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "tools/bench/histogram.h"

namespace outcrop::bench {

struct OpTally {
  Histogram latency_ns;  ///< of successes
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  void merge(const OpTally& other) {
    latency_ns.merge(other.latency_ns);
    bytes += other.bytes;
    errors += other.errors;
  }
};

/// "503 SlowDown" -> times
using ErrorTally = std::map<std::string, std::uint64_t>;
inline void merge(ErrorTally& into, const ErrorTally& other) {
  for (const auto& [label, times] : other) {
    into[label] += times;
  }
}

}  // namespace outcrop::bench
