// Byte codecs for everything on disk: a growing Writer and a bounds-checked Reader. Integers are
// little-endian or varint; keys that must sort use the big-endian put_be64.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "storage/base/bytes.h"

namespace outcrop {

static_assert(std::endian::native == std::endian::little,
              "on-disk integers are copied as they lie");

class Writer {
 public:
  Writer() = default;
  /// With room for about so many bytes.
  explicit Writer(std::size_t expected) { x_out.reserve(expected); }
  void u8(std::uint8_t v) { x_out.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { raw(&v, sizeof v); }
  void u32(std::uint32_t v) { raw(&v, sizeof v); }
  void u64(std::uint64_t v) { raw(&v, sizeof v); }
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) {
      u8(static_cast<std::uint8_t>(v) | 0x80);
    }
    u8(static_cast<std::uint8_t>(v));
  }
  void bytes(ConstBytes b) { raw(b.data(), b.size()); }
  void bytes(std::string_view b) { x_out.append(b); }
  /// varint length, then the bytes.
  void str(std::string_view s) {
    varint(s.size());
    x_out.append(s);
  }
  std::size_t size() const { return x_out.size(); }
  std::string_view view() const { return x_out; }
  std::string take() && { return std::move(x_out); }

 private:
  void raw(const void* p, std::size_t n) { x_out.append(static_cast<const char*>(p), n); }
  std::string x_out;
};

/// Bounds-checked cursor with a sticky failure: check done() (or ok()) once, at the end. Nothing
/// is allocated from a count or length before it is checked against what is left and the limit.
class Reader {
 public:
  explicit Reader(ConstBytes in) : x_in(in) {}
  explicit Reader(std::string_view in) : x_in(as_bytes(in)) {}

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  /// Canonical only: an overlong or overflowing encoding fails.
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = u8();
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) {
        if ((shift == 63 && b > 1) || (b == 0 && shift > 0)) {
          x_ok = false;
        }
        return x_ok ? v : 0;
      }
    }
    x_ok = false;
    return 0;
  }
  ConstBytes take(std::size_t n) {
    if (!x_ok || n > x_in.size()) {
      x_ok = false;
      return {};
    }
    const ConstBytes head = x_in.first(n);
    x_in = x_in.subspan(n);
    return head;
  }
  std::string_view str(std::size_t max) {
    const std::uint64_t n = varint();
    if (n > max) {
      x_ok = false;
      return {};
    }
    return as_text(take(static_cast<std::size_t>(n)));
  }
  /// A count of items that take at least one byte each.
  std::size_t count(std::size_t max) {
    const std::uint64_t n = varint();
    if (n > max || n > x_in.size()) {
      x_ok = false;
    }
    return x_ok ? static_cast<std::size_t>(n) : 0;
  }
  void fail() { x_ok = false; }
  std::size_t left() const { return x_in.size(); }
  bool ok() const { return x_ok; }
  bool done() const { return x_ok && x_in.empty(); }

 private:
  template <class T>
  T fixed() {
    T v{};
    if (const ConstBytes b = take(sizeof v); !b.empty()) {
      std::memcpy(&v, b.data(), sizeof v);
    }
    return v;
  }
  ConstBytes x_in;
  bool x_ok = true;
};

/// Big-endian, so that byte order is numeric order in keys.
inline void put_be64(std::string& out, std::uint64_t v) {
  v = std::byteswap(v);
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline std::uint64_t get_be64(std::string_view in) {
  OUTCROP_ASSERT(in.size() >= sizeof(std::uint64_t));
  std::uint64_t v = 0;
  std::memcpy(&v, in.data(), sizeof v);
  return std::byteswap(v);
}

}  // namespace outcrop
