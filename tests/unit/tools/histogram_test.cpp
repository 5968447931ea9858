// Quantiles of known data within the promised resolution.
#include "tools/bench/histogram.h"

#include <random>

namespace outcrop::bench {
namespace {

TEST(Histogram, empty) {
  const Histogram h;
  EXPECT_EQ(h.quantile(0.5), 0U);
  EXPECT_EQ(h.mean(), 0);
  EXPECT_EQ(h.max(), 0U);
}

TEST(Histogram, small_values_are_exact) {
  Histogram h;
  for (std::uint64_t v = 0; v < 64; ++v) {
    h.add(v);
  }
  EXPECT_EQ(h.quantile(0), 0U);
  EXPECT_EQ(h.quantile(0.5), 31U);
  EXPECT_EQ(h.quantile(1), 63U);
  EXPECT_DOUBLE_EQ(h.mean(), 31.5);
}

TEST(Histogram, quantiles_are_within_the_resolution) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values;
  Histogram a;
  Histogram b;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t v = random() >> (10 + random() % 50);
    values.push_back(v);
    (i % 2 == 0 ? a : b).add(v);
  }
  a.merge(b);
  std::ranges::sort(values);
  EXPECT_EQ(a.count(), values.size());
  EXPECT_EQ(a.max(), values.back());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000)) - 1;
    const auto exact = static_cast<double>(values[rank]);
    const auto got = static_cast<double>(a.quantile(share));
    EXPECT_GE(got, exact) << share;
    EXPECT_LE(got, exact * (1 + 1.0 / 64) + 1) << share;
  }
}

TEST(Histogram, the_largest_values_fit) {
  Histogram h;
  h.add(~std::uint64_t{0});
  h.add(std::uint64_t{1} << 63);
  EXPECT_EQ(h.quantile(1), ~std::uint64_t{0});
}

}  // namespace
}  // namespace outcrop::bench
