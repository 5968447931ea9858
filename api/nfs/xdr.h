// XDR (RFC 4506): a bounds-checked reader over one received record and a writer that carries large
// payloads as shares of their buffers. Sans-IO; used by RPC, MOUNT, NFSv3 and NFSv4.
#pragma once
#include <sys/uio.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/bytes.h"

namespace outcrop::nfs {

/// Bytes that follow an opaque of `n` bytes up to the next multiple of four.
constexpr std::size_t xdr_padding(std::size_t n) { return (4 - n % 4) % 4; }

/// Cursor with a sticky failure: check ok() once after the arguments are read. Nothing is allocated
/// from a count before it is checked against its limit and against what is left. Views and slices
/// refer to the record; slices share its memory.
class XdrReader {
 public:
  XdrReader() = default;
  explicit XdrReader(Buffer record) : x_record(std::move(record)), x_left(x_record.view()) {}
  /// Over bytes that outlive the reader; payload() copies.
  explicit XdrReader(ConstBytes bytes) : x_left(bytes) {}

  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  /// Strict: anything but 0 and 1 fails.
  bool boolean() {
    const std::uint32_t v = u32();
    if (v > 1) {
      fail();
    }
    return v == 1;
  }
  ConstBytes fixed_opaque(std::size_t n) {
    const ConstBytes out = take(n);
    take(xdr_padding(n));
    return out;
  }
  ConstBytes opaque(std::size_t max) {
    const std::uint32_t n = u32();
    if (n > max) {
      fail();
      return {};
    }
    return fixed_opaque(n);
  }
  std::string_view string(std::size_t max) { return as_text(opaque(max)); }
  /// An opaque as a share of the record: WRITE data.
  Buffer payload(std::size_t max) {
    const ConstBytes bytes = opaque(max);
    if (bytes.empty()) {
      return {};
    }
    if (!x_record) {
      return Buffer::copy_of(bytes);
    }
    return x_record.slice(static_cast<std::size_t>(bytes.data() - x_record.data()), bytes.size());
  }
  /// The count of an array whose items take at least `item_bytes` each.
  std::size_t count(std::size_t max, std::size_t item_bytes = 4) {
    const std::uint32_t n = u32();
    if (n > max || n > x_left.size() / item_bytes) {
      fail();
      return 0;
    }
    return n;
  }
  void fail() {
    x_ok = false;
    x_left = {};
  }
  bool ok() const { return x_ok; }
  /// All read and nothing failed.
  bool done() const { return x_ok && x_left.empty(); }
  std::size_t left() const { return x_left.size(); }

 private:
  ConstBytes take(std::size_t n) {
    if (n > x_left.size()) {
      fail();
      return {};
    }
    const ConstBytes head = x_left.first(n);
    x_left = x_left.subspan(n);
    return head;
  }
  template <class T>
  T fixed() {
    T v{};
    if (const ConstBytes b = take(sizeof v); !b.empty()) {
      std::memcpy(&v, b.data(), sizeof v);
      v = std::byteswap(v);
    }
    return v;
  }

  Buffer x_record;
  ConstBytes x_left;
  bool x_ok = true;
};

/// A growing record. Small items go to one flat block; payload() splices buffers in without a copy.
class XdrWriter {
 public:
  void u32(std::uint32_t v) { raw(std::byteswap(v)); }
  void u64(std::uint64_t v) { raw(std::byteswap(v)); }
  void i64(std::int64_t v) { u64(static_cast<std::uint64_t>(v)); }
  void boolean(bool v) { u32(v ? 1 : 0); }
  void fixed_opaque(ConstBytes b) {
    x_flat.append(as_text(b));
    x_flat.append(xdr_padding(b.size()), '\0');
  }
  void opaque(ConstBytes b) {
    u32(static_cast<std::uint32_t>(b.size()));
    fixed_opaque(b);
  }
  void string(std::string_view s) { opaque(as_bytes(s)); }
  /// An opaque that is made of `slices`: READ data.
  void payload(std::vector<Buffer> slices) {
    std::size_t n = 0;
    for (const Buffer& b : slices) {
      n += b.size();
    }
    u32(static_cast<std::uint32_t>(n));
    for (Buffer& b : slices) {
      x_spliced += b.size();
      x_splices.push_back({x_flat.size(), std::move(b)});
    }
    x_flat.append(xdr_padding(n), '\0');
  }
  /// Appends what another writer holds.
  void append(XdrWriter&& other) {
    for (Splice& s : other.x_splices) {
      x_splices.push_back({x_flat.size() + s.at, std::move(s.buffer)});
    }
    x_spliced += other.x_spliced;
    x_flat.append(other.x_flat);
    other.clear();
  }
  /// Empty again; keeps its memory for what comes next.
  void clear() { rewind({}); }
  std::size_t capacity() const { return x_flat.capacity(); }

  /// Bytes so far, spliced ones included.
  std::size_t size() const { return x_flat.size() + x_spliced; }

  /// A place to come back to: patch_u32() writes a value known only later, rewind() drops all that
  /// was written behind it.
  struct Mark {
    std::size_t flat = 0, splices = 0, spliced = 0;
  };
  Mark mark() const { return {x_flat.size(), x_splices.size(), x_spliced}; }
  void patch_u32(Mark at, std::uint32_t v) {
    v = std::byteswap(v);
    OUTCROP_ASSERT(at.flat + sizeof v <= x_flat.size());
    std::memcpy(x_flat.data() + at.flat, &v, sizeof v);
  }
  void rewind(Mark to) {
    x_flat.resize(to.flat);
    x_splices.erase(x_splices.begin() + static_cast<std::ptrdiff_t>(to.splices), x_splices.end());
    x_spliced = to.spliced;
  }

  /// The record as it goes on the wire; views into this writer, valid until it changes.
  void append_iovecs(std::vector<iovec>& out) const {
    std::size_t done = 0;
    const auto flat_until = [&](std::size_t end) {
      if (end > done) {
        out.push_back({const_cast<char*>(x_flat.data()) + done, end - done});
        done = end;
      }
    };
    for (const Splice& s : x_splices) {
      flat_until(s.at);
      out.push_back({s.buffer.data(), s.buffer.size()});
    }
    flat_until(x_flat.size());
  }
  /// All bytes in one string: replay caches and tests.
  std::string flatten() const {
    std::string out;
    out.reserve(size());
    std::vector<iovec> parts;
    append_iovecs(parts);
    for (const iovec& p : parts) {
      out.append(static_cast<const char*>(p.iov_base), p.iov_len);
    }
    return out;
  }
  /// Appends bytes that are XDR already: a cached reply.
  void raw_bytes(std::string_view bytes) { x_flat.append(bytes); }

 private:
  struct Splice {
    std::size_t at;  ///< before this byte of x_flat
    Buffer buffer;
  };
  template <class T>
  void raw(T v) {
    x_flat.append(reinterpret_cast<const char*>(&v), sizeof v);
  }

  std::string x_flat;
  std::vector<Splice> x_splices;
  std::size_t x_spliced = 0;
};

}  // namespace outcrop::nfs
