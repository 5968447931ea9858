// How often strangers may ask: requests without a signature cost a signature check each. Any
// thread.
#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/base/random.h"

namespace outcrop::iam {

class RateLimit {
 public:
  static constexpr std::int64_t kPerSecond = 10, kBurst = 100;          ///< of one address
  static constexpr std::int64_t kAllPerSecond = 200, kAllBurst = 1000;  ///< of all together

  RateLimit();
  /// An IPv6 address counts as its /64, which one machine may have all of. Addresses share a few
  /// thousand counters, by a hash that nobody outside can compute.
  bool allow(std::string_view address, std::int64_t now_ns);

 private:
  /// The time at which a counter is empty again.
  std::mutex x_mutex;
  std::array<std::int64_t, 4096> x_empty_at{};
  std::int64_t x_all_empty_at = 0;
  std::string x_salt;
};

}  // namespace outcrop::iam
