#include "storage/check/report.h"

#include <array>
#include <cstdio>

namespace outcrop::check {

void Findings::add(Severity severity,
                   std::string_view code,
                   std::string message,
                   std::string advice) {
  ++(severity == Severity::problem ? x_problems : x_notes);
  if (++x_counts[code] <= kMaxListed) {
    x_listed.push_back({severity, code, std::move(message), std::move(advice)});
  }
}

std::string_view name(DriveState state) {
  static constexpr std::array<std::string_view, 6> kNames{"live",     "stale",        "missing",
                                                          "unusable", "not a member", "joining"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string count_of(std::uint64_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

namespace {

/// How many bytes the character at the start has; 0 if it is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length > text.size()) {
    return 0;
  }
  const auto second = static_cast<unsigned char>(length > 1 ? text[1] : '\0');
  const bool odd = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) {
      return 0;
    }
  }
  return odd ? 0 : length;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
      out.append(escape.data());
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return out + "\"";
}

std::string hex16(std::uint64_t n) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(n));
  return text.data();
}

}  // namespace outcrop::check
