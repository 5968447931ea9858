// What tells the versions of one key apart: a number, larger for newer ones and never used twice,
// or "null" for the one version that has no id of its own (what was stored before versioning was
// enabled, or while it is suspended).
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::ns {

enum class Versioning : std::uint8_t {
  off,        ///< never enabled: keys have one object each, and no ids
  enabled,    ///< what is replaced or deleted stays as a version
  suspended,  ///< the null version is replaced, the others stay
};

struct VersionStamp {
  std::uint64_t number = 0;  ///< 0: from before versioning; then it is the null version
  bool null = true;
  bool operator==(const VersionStamp&) const = default;
};

/// A version that a client asks for.
struct VersionId {
  std::optional<std::uint64_t> number{};  ///< empty: the null version
  bool operator==(const VersionId&) const = default;
  bool names(const VersionStamp& stamp) const {
    return number ? !stamp.null && stamp.number == *number : stamp.null;
  }
};

namespace version_detail {
// Ids are as long as AWS's: there are tools with columns for them. The second half says nothing.
inline constexpr std::size_t kHalf = 16;
inline constexpr std::size_t kIdBytes = 2 * kHalf;
inline constexpr std::string_view kNull = "null";

// A bijection of 64 bits (the finaliser of SplitMix64), so that neighbours do not look alike.
inline std::uint64_t scattered(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

inline void append_hex(std::string& out, std::uint64_t v) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.push_back("0123456789abcdef"[v >> shift & 15]);
  }
}

}  // namespace version_detail

/// "null", or 32 characters that mean something only to parse_version_id.
inline std::string version_text(const VersionStamp& stamp) {
  if (stamp.null) {
    return std::string(version_detail::kNull);
  }
  std::string out;
  out.reserve(version_detail::kIdBytes);
  version_detail::append_hex(out, stamp.number);
  version_detail::append_hex(out, version_detail::scattered(stamp.number));
  return out;
}

/// What is said of a delete marker that a client asked for: the detail of Errc::delete_marker.
struct MarkerDetail {
  std::string_view version_id{};
  std::int64_t mtime_ns = 0;
};
inline std::string marker_detail(const VersionStamp& stamp, std::int64_t mtime_ns) {
  return version_text(stamp) + ' ' + std::to_string(mtime_ns);
}
inline MarkerDetail parse_marker_detail(std::string_view detail) {
  const std::size_t space = detail.find(' ');
  MarkerDetail out{.version_id = detail.substr(0, space)};
  if (space != detail.npos) {
    std::from_chars(detail.data() + space + 1, detail.data() + detail.size(), out.mtime_ns);
  }
  return out;
}

/// Empty for what version_text never gives.
inline std::optional<VersionId> parse_version_id(std::string_view text) {
  if (text == version_detail::kNull) {
    return VersionId{};
  }
  if (text.size() != version_detail::kIdBytes) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char c : text.substr(0, version_detail::kHalf)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) {
      return std::nullopt;
    }
    number = number << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  const VersionStamp stamp{number, false};
  return number != 0 && version_text(stamp) == text ? std::optional(VersionId{number})
                                                    : std::nullopt;
}

}  // namespace outcrop::ns
