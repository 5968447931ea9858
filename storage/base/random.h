// Randomness behind an interface: the kernel's in production, a seed in simulation.
#pragma once
#include <cstdint>
#include <random>

#include "storage/base/bytes.h"

namespace outcrop {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  void fill(MutBytes out);
};

/// getrandom(2): identities, upload ids, keys. Any thread.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : x_engine(seed) {}
  std::uint64_t next() override { return x_engine(); }

 private:
  std::mt19937_64 x_engine;
};

}  // namespace outcrop
