// How soon a server may end to be started anew because its drives are there again: later each time,
// if that does not help. On record in STATE_DIR/new-starts, Unix seconds of each, a line each.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace outcrop::server {

inline constexpr std::chrono::seconds kLeastUptime{30};
inline constexpr std::chrono::seconds kMostLeastUptime{3'600};
inline constexpr std::chrono::seconds kNewStartsWithin{7'200};

/// kLeastUptime, doubled for each of `ended` that is less than two hours from `now`, on either side
/// of it: clocks may go back.
std::chrono::seconds least_uptime(const std::vector<std::int64_t>& ended, std::int64_t now);

/// The same of what is on record. A record that cannot be read counts as empty, and is logged.
/// Blocking.
std::chrono::seconds least_uptime(const std::filesystem::path& state_dir, std::int64_t now);

/// This server ends for a new start. Blocking; failing to note it down is logged.
void note_new_start(const std::filesystem::path& state_dir, std::int64_t now);

}  // namespace outcrop::server
