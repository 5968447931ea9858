// Latencies in logarithmic buckets: 1.6 % resolution from nanoseconds to minutes, no allocation.
#pragma once
#include <array>
#include <cstdint>

namespace outcrop::bench {

class Histogram {
 public:
  void add(std::uint64_t value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return x_count; }
  std::uint64_t max() const { return x_max; }
  double mean() const;
  /// The value that `share` (0..1) of all values do not exceed, to the resolution; 0 when empty.
  std::uint64_t quantile(double share) const;

 private:
  // Each power of two is cut into 64 equal buckets; values below 64 have one each.
  static constexpr unsigned kSubBits = 6;
  static constexpr unsigned kSub = 1U << kSubBits;
  static constexpr unsigned kBuckets = (64 - kSubBits + 1) * kSub;

  static unsigned bucket_of(std::uint64_t value);
  static std::uint64_t highest_in(unsigned bucket);

  std::array<std::uint64_t, kBuckets> x_buckets{};
  std::uint64_t x_count = 0;
  std::uint64_t x_sum = 0;
  std::uint64_t x_max = 0;
};

}  // namespace outcrop::bench
