// What fsck found: facts in numbers, and findings that say what they mean and what to do. Plain
// values; the command prints them.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/ids.h"

namespace outcrop::check {

/// Findings listed of one code; more are only counted.
inline constexpr std::size_t kMaxListed = 200;

enum class Severity : std::uint8_t {
  note,     ///< in order: what a crash leaves and the next start sees to
  problem,  ///< something is not as it should be
};

struct Finding {
  Severity severity = Severity::problem;
  std::string_view code;  ///< a constant, for programs: "drive-missing"
  std::string message;    ///< what is, and what it means
  std::string advice;     ///< what to do
};

class Findings {
 public:
  void add(Severity severity, std::string_view code, std::string message, std::string advice);
  void problem(std::string_view code, std::string message, std::string advice) {
    add(Severity::problem, code, std::move(message), std::move(advice));
  }
  void note(std::string_view code, std::string message, std::string advice) {
    add(Severity::note, code, std::move(message), std::move(advice));
  }
  const std::vector<Finding>& listed() const { return x_listed; }
  std::uint64_t problems() const { return x_problems; }
  std::uint64_t notes() const { return x_notes; }
  /// By code: how many there were, listed or not.
  const std::map<std::string_view, std::uint64_t>& counts() const { return x_counts; }

 private:
  std::vector<Finding> x_listed;
  std::map<std::string_view, std::uint64_t> x_counts;
  std::uint64_t x_problems = 0, x_notes = 0;
};

enum class DriveState : std::uint8_t { live, stale, missing, unusable, not_a_member, joining };
std::string_view name(DriveState state);

struct DriveView {
  std::optional<unsigned> slot{};
  std::string path{}, uuid{};  ///< path: empty if nobody knows where it was
  DriveState state = DriveState::live;
  bool draining = false, mirror = false;
  std::uint64_t epoch = 0;  ///< the newest it has
};

/// A segment that is not whole.
struct SegmentView {
  SegmentId id = 0;
  unsigned k = 0, m = 0, good = 0;  ///< shards with all that is referred to
  bool lost = false;                ///< some of it cannot be rebuilt
};

struct Report {
  std::string cluster;
  std::uint64_t epoch = 0;
  unsigned parity = 0;
  std::vector<DriveView> drives;
  std::uint64_t journal_files = 0, journal_blocks = 0, replayed = 0, refused = 0;
  unsigned mirrors = 0;       ///< that were read
  std::uint64_t records = 0;  ///< of one mirror
  std::uint64_t buckets = 0, files = 0, directories = 0, other_nodes = 0, versions = 0,
                delete_markers = 0, uploads = 0, parts = 0, references = 0, object_bytes = 0;
  std::uint64_t segments = 0, segments_whole = 0, segments_degraded = 0, segments_lost = 0,
                segments_unused = 0;
  std::vector<SegmentView> not_whole;  ///< the first kMaxListed
  bool payload_read = false;
  std::uint64_t chunks = 0, payload_bytes = 0;  ///< verified, on all drives together
  std::uint64_t objects_hurt = 0;  ///< with bytes that cannot be read; kMaxListed at most
  bool more_objects_hurt = false;
  Findings findings;
};

/// "1 drive", "3 drives".
std::string count_of(std::uint64_t n, std::string_view what);
/// In quotes, with escapes for what is not printable ASCII or UTF-8.
std::string quoted(std::string_view text);
std::string hex16(std::uint64_t n);

}  // namespace outcrop::check
