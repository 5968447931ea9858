// What clients saw of one key: the input of the check for linearizability.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace outcrop::linear {

/// Identifies what some PUT wrote; 0: there is no object.
using Value = std::uint64_t;
inline constexpr Value kAbsent = 0;

enum class Kind : std::uint8_t {
  read,             ///< GET, HEAD, a line of a listing, the source of a copy
  put,              ///< also a completed upload and the target of a copy
  put_if_absent,    ///< If-None-Match: *
  put_if_match,     ///< If-Match
  remove,           ///<
  remove_if_match,  ///< If-Match
  differs,          ///< a copy whose source was not `expected`, or not there
};

enum class Outcome : std::uint8_t {
  done,
  refused,  ///< 412, or 404 for want of the object
  unknown,  ///< no answer, or 5xx: may happen at any later time, or never
};

/// Steady clock, nanoseconds, all of one process.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Event {
  Kind kind = Kind::read;
  Outcome outcome = Outcome::done;
  Value value = kAbsent;     ///< written, or read
  Value expected = kAbsent;  ///< by a condition
  unsigned client = 0;
  std::int64_t call_ns = 0;
  std::int64_t return_ns = 0;  ///< kNever when unknown
};

std::string to_text(const Event& event);

using History = std::vector<Event>;  ///< in any order

}  // namespace outcrop::linear
