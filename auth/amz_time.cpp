#include "auth/amz_time.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace outcrop::auth {
namespace {

/// Decimal digits only, all of them; -1 otherwise.
int number(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

struct Moment {
  int year, month, day, hour, minute, second;
};

std::optional<std::int64_t> to_seconds(const Moment& m) {
  if (m.year < 0 || m.month < 1 || m.day < 1 || m.hour < 0 || m.hour > 23 || m.minute < 0 ||
      m.minute > 59 || m.second < 0 || m.second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(m.year),
                                         std::chrono::month(static_cast<unsigned>(m.month)),
                                         std::chrono::day(static_cast<unsigned>(m.day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + m.hour) * 60 + m.minute) * 60 + m.second;
}

}  // namespace

std::optional<std::int64_t> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') {
    return std::nullopt;
  }
  return to_seconds({number(text.substr(0, 4)), number(text.substr(4, 2)),
                     number(text.substr(6, 2)), number(text.substr(9, 2)),
                     number(text.substr(11, 2)), number(text.substr(13, 2))});
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
    return std::nullopt;
  }
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) {
    return std::nullopt;
  }
  return to_seconds({number(text.substr(12, 4)), static_cast<int>(month / 3) + 1,
                     number(text.substr(5, 2)), number(text.substr(17, 2)),
                     number(text.substr(20, 2)), number(text.substr(23, 2))});
}

std::string format_amz_date(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 32> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace outcrop::auth
