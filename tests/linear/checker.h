// Whether a history of one key can have come from an object on which operations happen one at a
// time: the search of Wing and Gong with Lowe's memory of what was tried ("Testing for
// linearizability", 2017), over the model of an S3 object.
#pragma once
#include <cstddef>

#include "tests/linear/history.h"

namespace outcrop::linear {

enum class Verdict : std::uint8_t { linearizable, violation, undecided };

struct Check {
  Verdict verdict = Verdict::linearizable;
  /// Of a violation: the events of the longest prefix that has an order, in that order, ...
  std::vector<std::size_t> order{};
  /// ... and the event whose answer no order explains.
  std::size_t stuck = 0;
  std::size_t tried = 0;  ///< configurations
};

/// undecided after `most` configurations.
Check check(const History& history, std::size_t most = 20'000'000);

}  // namespace outcrop::linear
