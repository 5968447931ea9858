#include "storage/io/external_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "storage/io/sim_disk.h"

namespace outcrop::io {
namespace {

using Records = std::vector<std::pair<std::string, std::string>>;

Records some_records(std::size_t n) {
  std::mt19937 random(n);
  Records out;
  for (std::size_t i = 0; i < n; ++i) {
    out.emplace_back(std::to_string(random() % (n / 2 + 1)), std::string(random() % 40, 'v'));
  }
  return out;
}

Records sorted_by(ExternalSort& sort, const Records& in) {
  for (const auto& [key, value] : in) {
    EXPECT_TRUE(sort.add(key, value));
  }
  EXPECT_TRUE(sort.finish());
  Records out;
  while (sort.next().value()) {
    out.emplace_back(sort.key(), sort.value());
  }
  EXPECT_FALSE(sort.next().value());
  return out;
}

void expect_sorted(Records in, std::size_t memory, std::uint64_t least_runs) {
  SimWorld world(1);
  const auto scratch = world.open_disk(0).value();
  {
    ExternalSort sort(scratch.get(), "sort", memory);
    const Records out = sorted_by(sort, in);
    EXPECT_GE(sort.spilled(), least_runs);
    std::ranges::sort(in);
    EXPECT_EQ(out, in);
  }
  EXPECT_TRUE(scratch->list("").value().empty());
}

TEST(ExternalSort, WhatFitsStaysInMemory) { expect_sorted(some_records(1000), 1 << 20, 0); }
TEST(ExternalSort, NothingIsSorted) { expect_sorted({}, 1 << 20, 0); }
TEST(ExternalSort, RunsAreReadSideBySide) { expect_sorted(some_records(5000), 16 << 10, 8); }
TEST(ExternalSort, ManyRunsAreMerged) { expect_sorted(some_records(20'000), 4 << 10, 128); }
TEST(ExternalSort, ARecordMayBeLongerThanTheMemory) {
  expect_sorted({{"b", std::string(2 << 20, 'x')}, {"a", std::string(600 << 10, 'y')}}, 4 << 10, 2);
}

TEST(ExternalSort, WithoutScratchEverythingIsInMemory) {
  Records in = some_records(3000);
  ExternalSort sort(nullptr, "sort", 1);
  const Records out = sorted_by(sort, in);
  std::ranges::sort(in);
  EXPECT_EQ(out, in);
}

TEST(ExternalSort, AFullScratchIsAnError) {
  SimWorld world(1);
  const auto scratch = world.open_disk(0).value();
  world.add_error({.step = SimStep::write, .error = Errc::no_space});
  ExternalSort sort(scratch.get(), "sort", 1);
  EXPECT_EQ(sort.add("k", "v").error().code(), Errc::no_space);
}

}  // namespace
}  // namespace outcrop::io
