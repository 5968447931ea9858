#include "storage/digest/text.h"

namespace outcrop::digest {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kBad = 0xff;

using Table = std::array<std::uint8_t, 256>;

constexpr Table make_table(std::string_view alphabet) {
  Table t{};
  t.fill(kBad);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    t[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return t;
}

constexpr Table make_hex_table() {
  Table t = make_table(kHex);
  for (unsigned i = 0; i < 6; ++i) {
    t['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return t;
}

constexpr Table kFromHex = make_hex_table();
constexpr Table kFromBase64 = make_table(kBase64);

std::uint8_t look_up(const Table& table, char c) { return table[static_cast<unsigned char>(c)]; }

}  // namespace

std::string to_hex(ConstBytes bytes) {
  std::string out(bytes.size() * 2, '\0');
  char* p = out.data();
  for (const std::byte b : bytes) {
    *p++ = kHex[std::to_integer<unsigned>(b) >> 4];
    *p++ = kHex[std::to_integer<unsigned>(b) & 15];
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return fail(Errc::invalid_argument);
  }
  std::string out(text.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t high = look_up(kFromHex, text[2 * i]);
    const std::uint8_t low = look_up(kFromHex, text[2 * i + 1]);
    if (high == kBad || low == kBad) {
      return fail(Errc::invalid_argument);
    }
    out[i] = static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string to_base64(ConstBytes bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* p = out.data();
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < have ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j <= have; ++j) {
      p[j] = kBase64[group >> (18 - 6 * j) & 63];
    }
    p += 4;
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return fail(Errc::invalid_argument);
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::uint8_t v = look_up(kFromBase64, c);
    if (v == kBad) {
      return fail(Errc::invalid_argument);
    }
    bits = bits << 6 | v;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 0xff));
    }
  }
  // What is left over beyond whole bytes must be zero, or two texts would mean one value.
  if ((bits & ((1U << held) - 1)) != 0) {
    return fail(Errc::invalid_argument);
  }
  return out;
}

}  // namespace outcrop::digest
