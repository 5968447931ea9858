// The lines of the audit log. A line is a JSON object that begins with its number and the hash of
// the line before, and ends with its own hash:
//   {"seq":7,"prev":"<64 hex>",BODY,"hash":"<64 hex>"}
// The hash is SHA-256 over all bytes in front of `,"hash"`. Numbers ascend by one, over all files.
// Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/audit/event.h"

namespace outcrop::audit {

inline constexpr std::size_t kHashDigits = 64;
inline constexpr std::size_t kMaxLineBytes = 256 << 10;  ///< every text escaped to the utmost

/// Where the chain stands: behind the line of that number and hash. The default: before the first.
struct Link {
  std::uint64_t seq = 0;
  std::string hash = std::string(kHashDigits, '0');
  bool operator==(const Link&) const = default;
};

/// The members of an event without braces: what is known before its place in the chain is.
std::string body_of(const Event& event, std::int64_t wall_ns);
/// Of the log's own marks, "audit.gap" and the like, with numbers by name.
struct Count {
  std::string_view name;
  std::uint64_t value = 0;
};
std::string mark_body(std::string_view action,
                      std::string_view reason,
                      std::initializer_list<Count> counts,
                      std::int64_t wall_ns);

/// The next line, newline included; `at` moves on.
std::string seal(std::string_view body, Link& at);

struct Line {
  Link link;         ///< what it says of itself
  std::string prev;  ///< and of the line before
};
/// `text` without its newline; empty unless it has the form and its hash is right.
std::optional<Line> parse_line(std::string_view text);
/// Of a mark: the number of that name, 0 if there is none. `line` went through parse_line().
std::uint64_t count_in(std::string_view line, std::string_view name);
bool is_mark(std::string_view line, std::string_view action);

inline constexpr std::string_view kStart = "audit.start";      ///< the server has started
inline constexpr std::string_view kStop = "audit.stop";        ///< it has stopped in order
inline constexpr std::string_view kGap = "audit.gap";          ///< events are missing here
inline constexpr std::string_view kTorn = "audit.torn";        ///< a line was cut off by a crash
inline constexpr std::string_view kDamaged = "audit.damaged";  ///< the chain starts anew

}  // namespace outcrop::audit
