// A statistic with one writing thread and any readers: plain stores, no locked instructions. Keep
// one set per worker and add them up when read.
#pragma once
#include <atomic>
#include <cstdint>

namespace outcrop {

class Counter {
 public:
  void add(std::uint64_t n) {
    x_value.store(x_value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::uint64_t n) { add(-n); }
  std::uint64_t get() const { return x_value.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> x_value{0};
};

}  // namespace outcrop
