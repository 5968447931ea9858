#include "auth/uri.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace outcrop::auth {
namespace {

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-._~")) {
    table[static_cast<std::uint8_t>(c)] = true;
  }
  return table;
}();

void encode_byte(std::uint8_t byte, Slash slash, std::string& out) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (kUnreserved[byte] || (byte == '/' && slash == Slash::keep)) {
    out.push_back(static_cast<char>(byte));
  } else {
    const std::array<char, 3> escape{'%', kDigits[byte >> 4], kDigits[byte & 15]};
    out.append(escape.data(), escape.size());
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Calls sink(byte) for every decoded byte; false on a bad escape or NUL.
template <class Sink>
bool for_each_decoded(std::string_view encoded, Sink&& sink) {
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    auto byte = static_cast<std::uint8_t>(encoded[i]);
    if (byte == '%') {
      if (encoded.size() - i < 3) {
        return false;
      }
      const int high = hex_value(encoded[i + 1]);
      const int low = hex_value(encoded[i + 2]);
      if (high < 0 || low < 0) {
        return false;
      }
      byte = static_cast<std::uint8_t>(high * 16 + low);
      i += 2;
    }
    if (byte == 0) {
      return false;
    }
    sink(byte);
  }
  return true;
}

}  // namespace

void uri_encode(std::string_view raw, Slash slash, std::string& out) {
  for (const char c : raw) {
    encode_byte(static_cast<std::uint8_t>(c), slash, out);
  }
}

bool uri_decode(std::string_view encoded, std::string& out) {
  return for_each_decoded(encoded,
                          [&](std::uint8_t byte) { out.push_back(static_cast<char>(byte)); });
}

bool uri_recode(std::string_view encoded, Slash slash, std::string& out) {
  // Most text is canonical already: it is copied in runs, and only the rest byte by byte.
  const auto stays = [&](char c) {
    return kUnreserved[static_cast<std::uint8_t>(c)] || (c == '/' && slash == Slash::keep);
  };
  while (!encoded.empty()) {
    const std::size_t run =
        static_cast<std::size_t>(std::ranges::find_if_not(encoded, stays) - encoded.begin());
    out.append(encoded.substr(0, run));
    encoded.remove_prefix(run);
    const std::string_view odd = encoded.substr(0, encoded.starts_with('%') ? 3 : 1);
    if (!for_each_decoded(odd, [&](std::uint8_t byte) { encode_byte(byte, slash, out); })) {
      return false;
    }
    encoded.remove_prefix(odd.size());
  }
  return true;
}

}  // namespace outcrop::auth
