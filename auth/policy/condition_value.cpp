#include "auth/policy/condition_value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "auth/policy/pattern.h"

namespace outcrop::policy {
namespace {

constexpr std::size_t kMaxNumberText = 64;

/// Exactly `digits` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) {
    return std::nullopt;
  }
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

/// "23:19:36.5Z", "23:19+01:00": seconds of the day.
std::optional<long double> parse_time(std::string_view text) {
  const auto hour = take_digits(text, 2);
  const bool colon = take(text, ':');
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || !colon || *hour > 23 || *minute > 59) {
    return std::nullopt;
  }
  long double seconds = *hour * 3600 + *minute * 60;
  if (take(text, ':')) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) {
      return std::nullopt;
    }
    seconds += *second;
    if (take(text, '.')) {
      const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0 || digits > 9) {
        return std::nullopt;
      }
      long double scale = 1;
      for (const char c : text.substr(0, digits)) {
        scale /= 10;
        seconds += (c - '0') * scale;
      }
      text.remove_prefix(digits);
    }
  }
  if (text == "Z" || text == "z") {
    return seconds;
  }
  const int sign = text.starts_with('+') ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) {
    return std::nullopt;
  }
  const auto offset_hour = take_digits(text, 2);
  take(text, ':');
  const auto offset_minute = take_digits(text, 2);
  if (!offset_hour || !offset_minute || !text.empty() || *offset_hour > 23 || *offset_minute > 59) {
    return std::nullopt;
  }
  return seconds + sign * (*offset_hour * 3600 + *offset_minute * 60);
}

}  // namespace

std::optional<long double> parse_number(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const std::size_t point = digits.find('.');
  const bool shape =
      !digits.empty() && text.size() <= kMaxNumberText && point != 0 &&
      point != digits.size() - 1 &&
      digits.find_first_not_of("0123456789.") == std::string_view::npos &&
      (point == std::string_view::npos || digits.find('.', point + 1) == std::string_view::npos);
  if (!shape) {
    return std::nullopt;
  }
  long double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

std::optional<long double> parse_date(std::string_view text) {
  if (text.size() > 4 && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return parse_number(text);
  }
  const auto year = take_digits(text, 4);
  const bool first = take(text, '-');
  const auto month = take_digits(text, 2);
  const bool second = take(text, '-');
  const auto day = take_digits(text, 2);
  if (!year || !month || !day || !first || !second) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  const long double midnight =
      std::chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86400};
  if (text.empty()) {
    return midnight;
  }
  if (!take(text, 'T') && !take(text, 't')) {
    return std::nullopt;
  }
  const auto time = parse_time(text);
  return time ? std::optional(midnight + *time) : std::nullopt;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (same_text(text, "true")) {
    return true;
  }
  return same_text(text, "false") ? std::optional(false) : std::nullopt;
}

std::optional<AddressBlock> parse_address(std::string_view text) {
  constexpr std::size_t kLongest = INET6_ADDRSTRLEN;
  std::array<char, kLongest + 1> terminated{};
  if (text.size() > kLongest || text.contains('\0')) {
    return std::nullopt;
  }
  std::ranges::copy(text, terminated.begin());
  AddressBlock out{.network = {}, .bits = 128};
  if (::inet_pton(AF_INET6, terminated.data(), out.network.data()) == 1) {
    return out;
  }
  out.network[10] = out.network[11] = 0xff;
  return ::inet_pton(AF_INET, terminated.data(), out.network.data() + 12) == 1 ? std::optional(out)
                                                                               : std::nullopt;
}

std::optional<AddressBlock> parse_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto out = parse_address(text.substr(0, slash));
  if (!out || slash == std::string_view::npos) {
    return out;
  }
  const bool v4 = !text.substr(0, slash).contains(':');
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > (v4 ? 32U : 128U)) {
    return std::nullopt;
  }
  out->bits = v4 ? bits + 96 : bits;
  return out;
}

bool AddressBlock::contains(const AddressBlock& address) const {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (address.bits < bits ||
      !std::equal(network.begin(), network.begin() + whole, address.network.begin())) {
    return false;
  }
  return rest == 0 || ((network[whole] ^ address.network[whole]) >> (8 - rest)) == 0;
}

}  // namespace outcrop::policy
