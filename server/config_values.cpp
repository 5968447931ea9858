#include "server/config_values.h"

#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace outcrop::server {
namespace {

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T n{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return n;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, unsigned>, 4> kUnits = {
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  unsigned shift = 0;
  for (const auto& [unit, bits] : kUnits) {
    if (text.ends_with(unit)) {
      text.remove_suffix(unit.size());
      shift = bits;
      break;
    }
  }
  const std::optional<std::uint64_t> n = parse_whole<std::uint64_t>(text);
  if (!n || *n > (std::uint64_t{INT64_MAX} >> shift)) {
    return std::nullopt;
  }
  return *n << shift;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(std::string(host), ec);
  const std::optional<std::uint16_t> port = parse_whole<std::uint16_t>(text.substr(colon + 1));
  if (ec || !port || address.is_v6() != bracketed) {
    return std::nullopt;
  }
  return HostPort{std::string(host), *port};
}

std::expected<std::string, Expected> read_string(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  return std::unexpected("a string in quotes");
}

std::expected<bool, Expected> read_bool(const ConfigValue& value, bool from_env) {
  if (const auto* b = std::get_if<bool>(&value)) {
    return *b;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (from_env && text != nullptr && (*text == "true" || *text == "false")) {
    return *text == "true";
  }
  return std::unexpected("true or false");
}

std::expected<std::uint64_t, Expected> read_count(const ConfigValue& value,
                                                  bool from_env,
                                                  std::uint64_t least,
                                                  std::uint64_t most) {
  std::optional<std::int64_t> n;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    n = *whole;
  } else if (const auto* text = std::get_if<std::string>(&value); from_env && text != nullptr) {
    n = parse_whole<std::int64_t>(*text);
  }
  if (!n || *n < 0 || static_cast<std::uint64_t>(*n) < least ||
      static_cast<std::uint64_t>(*n) > most) {
    return std::unexpected("a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  return static_cast<std::uint64_t>(*n);
}

std::expected<std::uint64_t, Expected> read_size_or_auto(const ConfigValue& value,
                                                         std::uint64_t least) {
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && *text == "auto") {
    return 0;
  }
  const std::optional<std::uint64_t> n = text != nullptr ? parse_size(*text) : std::nullopt;
  if (!n || *n < least) {
    return std::unexpected("\"auto\" or a size of at least " + std::to_string(least >> 20) +
                           "MiB, with KiB, MiB, GiB or TiB, like \"512MiB\"");
  }
  return *n;
}

std::expected<std::uint64_t, Expected> read_size(const ConfigValue& value, std::uint64_t least) {
  const auto* text = std::get_if<std::string>(&value);
  const std::optional<std::uint64_t> n = text != nullptr ? parse_size(*text) : std::nullopt;
  if (!n || *n < least) {
    return std::unexpected("a size of at least " + std::to_string(least >> 20) +
                           "MiB, with KiB, MiB, GiB or TiB, like \"64MiB\"");
  }
  return *n;
}

std::expected<std::chrono::seconds, Expected> read_seconds(const ConfigValue& value) {
  constexpr std::uint32_t kLongest = 3600;
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && text->ends_with('s')) {
    const auto n = parse_whole<std::uint32_t>(std::string_view(*text).substr(0, text->size() - 1));
    if (n && *n <= kLongest) {
      return std::chrono::seconds(*n);
    }
  }
  return std::unexpected("seconds from \"0s\" to \"3600s\", like \"30s\"");
}

std::expected<std::chrono::seconds, Expected> read_period(const ConfigValue& value) {
  constexpr std::chrono::seconds kLongest = std::chrono::days(3650);
  const auto* text = std::get_if<std::string>(&value);
  const char unit = text != nullptr && !text->empty() ? text->back() : '\0';
  const std::chrono::seconds each = unit == 'd'   ? std::chrono::days(1)
                                    : unit == 'h' ? std::chrono::hours(1)
                                    : unit == 'm' ? std::chrono::minutes(1)
                                                  : std::chrono::seconds(1);
  if (unit == 'd' || unit == 'h' || unit == 'm' || unit == 's') {
    const auto n = parse_whole<std::uint32_t>(std::string_view(*text).substr(0, text->size() - 1));
    if (n && *n <= kLongest / each) {
      return *n * each;
    }
  }
  return std::unexpected(
      "days, hours, minutes or seconds, like \"14d\", up to ten years; \"0s\" for never");
}

std::expected<HostPort, Expected> read_host_port(const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr) {
    if (const std::optional<HostPort> parsed = parse_host_port(*text)) {
      return *parsed;
    }
  }
  return std::unexpected("ADDRESS:PORT, like \"0.0.0.0:9000\" or \"[::]:9000\"");
}

std::expected<std::vector<std::string>, Expected> read_list(const ConfigValue& value,
                                                            bool from_env) {
  std::vector<std::string> out;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    out = *list;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (!from_env) {
      return std::vector<std::string>{*text};
    }
    for (std::size_t at = 0; at <= text->size();) {
      const std::size_t comma = std::min(text->find(',', at), text->size());
      out.push_back(text->substr(at, comma - at));
      at = comma + 1;
    }
    if (out.size() == 1 && out.front().empty()) {
      out.clear();
    }
  } else {
    return std::unexpected("an array of strings");
  }
  for (const std::string& item : out) {
    if (item.empty()) {
      return std::unexpected("an array of strings that are not empty");
    }
  }
  return out;
}

}  // namespace outcrop::server
