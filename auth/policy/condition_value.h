// Values of conditions as what they are compared as: numbers, dates, addresses. Private to
// auth/policy.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcrop::policy {

/// A decimal number, "10", "-2.5"; empty for anything else. Whole numbers of 64 bits are exact.
std::optional<long double> parse_number(std::string_view text);

/// Seconds since 1970: "2026-11-21T23:19:36Z" with fractions and offsets, "2026-11-21", or a whole
/// number of seconds. Empty for anything else.
std::optional<long double> parse_date(std::string_view text);

std::optional<bool> parse_bool(std::string_view text);

/// An address block of either family; IPv4 lies in ::ffff:0:0/96.
struct AddressBlock {
  std::array<std::uint8_t, 16> network{};
  unsigned bits = 0;
  bool contains(const AddressBlock& address) const;
};
/// "10.0.0.0/8", "2001:db8::/32", or one address. Bits beyond the mask are ignored, as in AWS.
std::optional<AddressBlock> parse_block(std::string_view text);
std::optional<AddressBlock> parse_address(std::string_view text);

}  // namespace outcrop::policy
