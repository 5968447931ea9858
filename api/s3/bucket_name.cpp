#include "api/s3/bucket_name.h"

#include <algorithm>
#include <array>

namespace outcrop::s3 {
namespace {

constexpr std::size_t kMinBytes = 3;
constexpr std::size_t kMaxBytes = 63;
constexpr std::array<std::string_view, 3> kReservedPrefixes{"xn--", "sthree-", "amzn-s3-demo-"};
constexpr std::array<std::string_view, 5> kReservedSuffixes{"-s3alias", "--ol-s3", ".mrap",
                                                            "--x-s3", "--table-s3"};

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || digit(c); }

/// What dots divide is neither empty nor begins or ends with a dash: BUCKET.domain is a host name.
bool proper_labels(std::string_view name) {
  return std::ranges::none_of(std::array<std::string_view, 3>{"..", ".-", "-."},
                              [&](std::string_view bad) { return name.contains(bad); });
}

/// Four groups of digits: whatever their values, AWS calls it formatted as an IP address.
bool like_ipv4(std::string_view name) {
  int dots = 0;
  for (const char c : name) {
    dots += c == '.' ? 1 : 0;
    if (c != '.' && !digit(c)) {
      return false;
    }
  }
  return dots == 3;
}

}  // namespace

bool valid_bucket_name(std::string_view name) {
  if (name.size() < kMinBytes || name.size() > kMaxBytes || !letter_or_digit(name.front()) ||
      !letter_or_digit(name.back()) || !proper_labels(name) || like_ipv4(name)) {
    return false;
  }
  const auto allowed = [](char c) { return letter_or_digit(c) || c == '.' || c == '-'; };
  return std::ranges::all_of(name, allowed) &&
         std::ranges::none_of(kReservedPrefixes, [&](auto p) { return name.starts_with(p); }) &&
         std::ranges::none_of(kReservedSuffixes, [&](auto s) { return name.ends_with(s); });
}

}  // namespace outcrop::s3
