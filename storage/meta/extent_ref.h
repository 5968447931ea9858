// The value of a reference record (tables.h, extent_ref_key): how long the extent is, and how much
// of it the owner uses. Compaction counts what lives in a segment by these. Header only: the
// namespace writes them and the segment store reads them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/codec.h"
#include "storage/base/result.h"

namespace outcrop::meta {

struct ExtentRef {
  std::uint64_t length = 0;  ///< of the extent
  std::uint64_t used = 0;    ///< bytes that the owner's pieces name, each time they do; <= length
  bool operator==(const ExtentRef&) const = default;
};

/// Whoever uses all of an extent, which is nearly everybody, has only the length on disk.
inline std::string encode(const ExtentRef& ref) {
  Writer w;
  w.varint(ref.length);
  if (ref.used != ref.length) {
    w.varint(ref.used);
  }
  return std::move(w).take();
}

inline Result<ExtentRef> decode_extent_ref(std::string_view bytes) {
  Reader r(bytes);
  ExtentRef out;
  out.length = out.used = r.varint();
  if (!r.done()) {
    out.used = r.varint();
    if (out.used >= out.length) {
      r.fail();
    }
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "extent reference");
  }
  return out;
}

}  // namespace outcrop::meta
