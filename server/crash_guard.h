// A server that keeps crashing starts in safe mode: it serves reads, and does nothing by itself.
//
// What counts are crashes of its own (SIGSEGV, SIGABRT and the like), not kills and power cuts: an
// operator may do those as often as he likes. They are on record in STATE_DIR/crashes, one line
// each: Unix seconds and the number of the signal; a start in safe mode is a line with 0.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace outcrop::server {

struct CrashRecord {
  std::int64_t seconds = 0;  ///< Unix time
  int signal = 0;            ///< 0: a start in safe mode
  bool operator==(const CrashRecord&) const = default;
};

/// The lines that can be read, the oldest first; a crash may cut its own short.
std::vector<CrashRecord> parse_crashes(std::string_view text);

struct SafeMode {
  std::chrono::seconds lasts{0};  ///< 0: there is no need for it
  std::string reason;             ///< one line for the operator
};

inline constexpr unsigned kCrashesToSafeMode = 3;
inline constexpr std::chrono::seconds kCrashesWithin{300};
inline constexpr std::chrono::seconds kSafeModesWithin{86'400};
inline constexpr unsigned kMostDoublings = 5;

/// Three crashes within the five minutes before `now` call for `first` of safe mode, and for twice
/// as long for each safe mode of the day before, up to 32 times. Clocks may go back: what is on
/// record as later than `now` counts as just before it, if it is no further away.
SafeMode judge_crashes(const std::vector<CrashRecord>& records,
                       std::int64_t now,
                       std::chrono::seconds first);

/// Looks at the record, makes it short, and puts signal handlers in place that write to it for as
/// long as the process lives; sanitizers keep theirs. `first` 0: no safe mode. A record that
/// cannot be read or written stops no start: it is logged. Blocking; once a process.
SafeMode arm_crash_guard(const std::filesystem::path& state_dir,
                         std::int64_t now,
                         std::chrono::seconds first);

}  // namespace outcrop::server
