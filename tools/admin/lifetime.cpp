#include "tools/admin/lifetime.h"

#include <array>
#include <charconv>

namespace outcrop::tools {
namespace {

constexpr std::int64_t kLongest = 366 * 86'400;  // as the server has it

struct Unit {
  char name;
  std::int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits{{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}}};

}  // namespace

Result<std::int64_t> parse_lifetime(std::string_view text) {
  std::int64_t n = 0;
  const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  const bool number =
      ec != std::errc::invalid_argument && at + 1 == text.data() + text.size() && text[0] != '-';
  for (const Unit& unit : kUnits) {
    if (!number || *at != unit.name) {
      continue;
    }
    if (ec == std::errc::result_out_of_range || n > kLongest / unit.seconds) {
      return fail(Errc::invalid_argument, "at most 366d");
    }
    if (n > 0) {
      return n * unit.seconds;
    }
  }
  return fail(Errc::invalid_argument, "expected a number with s, m, h or d, like 30d");
}

}  // namespace outcrop::tools
