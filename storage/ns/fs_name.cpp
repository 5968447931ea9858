#include "storage/ns/fs_name.h"

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "storage/ns/file_system.h"

namespace outcrop::ns {
namespace {

// Cannot start an encoding: after '%' there are hex digits.
constexpr std::string_view kHashMark = "%%";
constexpr std::size_t kHashBytes = 64;
constexpr std::size_t kHashedHead = kAliasPrefix.size() + kHashMark.size() + kHashBytes;
constexpr std::size_t kEncodedByte = 3;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

bool must_encode(char c) {
  const auto u = static_cast<unsigned char>(c);
  return c == '%' || c == '/' || u < 0x20 || u == 0x7f;
}

std::string encode_name(std::string_view name) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    if (must_encode(c)) {
      const auto u = static_cast<unsigned char>(c);
      out.append({'%', kHex[u >> 4], kHex[u & 15]});
    } else {
      out.push_back(c);
    }
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> decode_name(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2])));
    i += 2;
  }
  return out;
}

// The longest start of an encoding that fits and cuts neither an escape nor a character.
std::string_view cut(std::string_view encoded, std::size_t max) {
  std::size_t n = std::min(max, encoded.size());
  for (std::size_t back = 1; back < kEncodedByte && back <= n; ++back) {
    if (encoded[n - back] == '%') {
      n -= back;
    }
  }
  while (n > 0 && n < encoded.size() && is_continuation(encoded[n])) {
    --n;
  }
  return encoded.substr(0, n);
}

// RFC 3629: shortest forms, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) {
      continue;
    }
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4) {
      return false;
    }
    std::uint32_t point = first & (0x3fU >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= text.size() || !is_continuation(text[i])) {
        return false;
      }
      point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    constexpr std::uint32_t kLeast[] = {0x80, 0x800, 0x10000};
    if (point < kLeast[more - 1] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<void> check_name(std::string_view name) {
  if (name.size() > kMaxFileNameBytes) {
    return fail(Errc::name_too_long);
  }
  const bool bad = name.empty() || name == "." || name == ".." || name.find('/') != name.npos ||
                   name.find('\0') != name.npos;
  return bad ? fail(Errc::invalid_argument, "file name") : ok();
}

Result<void> check_new_name(std::string_view name) {
  TRYV(check_name(name));
  return is_alias(name) || !is_utf8(name) ? fail(Errc::invalid_argument, "new file name") : ok();
}

bool is_alias(std::string_view name) { return name.starts_with(kAliasPrefix); }

bool shows_plainly(std::string_view component) {
  return check_name(component).has_value() && !is_alias(component);
}

std::string alias_of(std::string_view dirent_name) {
  const std::string encoded = encode_name(dirent_name);
  std::string out(kAliasPrefix);
  if (out.size() + encoded.size() <= kMaxFileNameBytes) {
    return out.append(encoded);
  }
  out.append(kHashMark);
  out.append(digest::to_hex(
      as_bytes(digest::Digest::of(digest::Algorithm::sha256, as_bytes(dirent_name)))));
  return out.append(cut(encoded, kMaxFileNameBytes - kHashedHead));
}

std::optional<Alias> parse_alias(std::string_view alias) {
  if (!is_alias(alias)) {
    return std::nullopt;
  }
  std::string_view rest = alias.substr(kAliasPrefix.size());
  const bool whole = !rest.starts_with(kHashMark);
  if (!whole) {
    if (alias.size() < kHashedHead) {
      return std::nullopt;
    }
    rest = alias.substr(kHashedHead);
  }
  auto name = decode_name(rest);
  if (!name) {
    return std::nullopt;
  }
  return Alias{*std::move(name), whole};
}

}  // namespace outcrop::ns
