#include "storage/ns/link_record.h"

#include "storage/base/codec.h"
#include "storage/ns/record_codec.h"

namespace outcrop::ns {
namespace {
constexpr std::uint8_t kVersion = 1;
}  // namespace

std::string encode_number(std::uint64_t number) {
  Writer w;
  w.u8(kVersion);
  w.varint(number);
  return std::move(w).take();
}

Result<std::uint64_t> decode_number(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  const std::uint64_t number = r.varint();
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "link or orphan record malformed");
  }
  return number;
}

std::string encode_name(std::string_view name) {
  Writer w;
  w.u8(kVersion);
  w.str(name);
  return std::move(w).take();
}

Result<std::string> decode_name(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  std::string name(r.str(kMaxNameBytes));
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "name record malformed");
  }
  return name;
}

std::string encode(const CookieRecord& record) {
  Writer w;
  w.u8(kVersion);
  w.varint(record.ino);
  w.varint(record.parent);
  w.str(record.name);
  return std::move(w).take();
}

Result<CookieRecord> decode_cookie(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  CookieRecord out;
  out.ino = r.varint();
  out.parent = r.varint();
  out.name = r.str(kMaxNameBytes);
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "cookie record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
