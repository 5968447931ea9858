// Checks the chain of audit log files. Blocking.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "auth/audit/line.h"

namespace outcrop::audit {

inline constexpr std::size_t kMaxProblems = 100;  ///< reported; more of them say no more

struct Verdict {
  std::uint64_t lines = 0;
  Link first, last;
  std::uint64_t dropped = 0, suppressed = 0;  ///< by audit.gap lines
  std::uint64_t starts = 0, stops = 0, torn = 0;
  bool unfinished = false;            ///< the newest file ends in the middle of a line
  std::vector<std::string> problems;  ///< "audit.log.1:17: what is wrong"
  bool intact() const { return problems.empty(); }
};

/// The files in any order; together they must be one unbroken piece of the chain. `known`: a link
/// noted down elsewhere, which must be in it. A file that cannot be read is a problem, and so is a
/// chain without a line. Only `known` can tell that lines are missing at the end.
Verdict verify_chain(const std::vector<std::filesystem::path>& files,
                     const std::optional<Link>& known = std::nullopt);

}  // namespace outcrop::audit
