// Clients that work on few keys of one bucket at the same time and write down what they see.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/linear/history.h"
#include "tools/bench/options.h"

namespace outcrop::linear {

struct LoadOptions {
  bench::Options server;  ///< endpoint, credentials, region, bucket (which is there) and prefix
  unsigned clients = 16;
  unsigned keys = 6;
  std::uint64_t operations = 5000;  ///< all clients together
  std::uint64_t seed = 1;
  double patience_s = 60;  ///< for a server that does not take connections
};

struct Observed {
  std::vector<History> keys;
  std::uint64_t operations = 0;
  std::uint64_t unknown = 0;            ///< of those
  std::uint64_t failed = 0;             ///< answers of 5xx
  std::vector<std::string> problems{};  ///< bytes or answers that no model needs to refuse
};

/// Ends with a GET of each key, so that what was acknowledged must be there. config: the server
/// does not come back.
Result<Observed> load(const LoadOptions& options);

}  // namespace outcrop::linear
