#include "tools/bench/histogram.h"

#include <bit>
#include <cmath>

namespace outcrop::bench {

unsigned Histogram::bucket_of(std::uint64_t value) {
  if (value < kSub) {
    return static_cast<unsigned>(value);
  }
  const unsigned exponent = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
  // The top bit is implied by the exponent; the next six are the place within the power of two.
  return (exponent + 1) * kSub + static_cast<unsigned>((value >> exponent) - kSub);
}

std::uint64_t Histogram::highest_in(unsigned bucket) {
  if (bucket < kSub) {
    return bucket;
  }
  const unsigned exponent = bucket / kSub - 1;
  const std::uint64_t low = std::uint64_t{kSub + bucket % kSub} << exponent;
  return low + ((std::uint64_t{1} << exponent) - 1);
}

void Histogram::add(std::uint64_t value) {
  ++x_buckets[bucket_of(value)];
  ++x_count;
  x_sum += value;
  x_max = std::max(x_max, value);
}

void Histogram::merge(const Histogram& other) {
  for (unsigned i = 0; i < kBuckets; ++i) {
    x_buckets[i] += other.x_buckets[i];
  }
  x_count += other.x_count;
  x_sum += other.x_sum;
  x_max = std::max(x_max, other.x_max);
}

double Histogram::mean() const {
  return x_count == 0 ? 0 : static_cast<double>(x_sum) / static_cast<double>(x_count);
}

std::uint64_t Histogram::quantile(double share) const {
  if (x_count == 0) {
    return 0;
  }
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(x_count)));
  std::uint64_t seen = 0;
  for (unsigned i = 0; i < kBuckets; ++i) {
    seen += x_buckets[i];
    if (seen > 0 && seen >= rank) {
      return std::min(highest_in(i), x_max);
    }
  }
  return x_max;
}

}  // namespace outcrop::bench
