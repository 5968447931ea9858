// What a decoder accepts must be what the encoder writes; names must survive a round trip.
#include "storage/base/assert.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop;
  using namespace outcrop::digest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = from_base64(text); bytes) {
    OUTCROP_ASSERT(to_base64(as_bytes(*bytes)) == text);
  }
  if (const auto bytes = from_hex(text); bytes) {
    OUTCROP_ASSERT(from_hex(to_hex(as_bytes(*bytes))).value() == *bytes);
  }
  OUTCROP_ASSERT(from_base64(to_base64(as_bytes(text))).value() == text);
  OUTCROP_ASSERT(from_hex(to_hex(as_bytes(text))).value() == text);
  if (const auto algorithm = parse_name(text); algorithm) {
    OUTCROP_ASSERT(parse_name(name(*algorithm)) == algorithm);
  }
  if (const auto algorithm = parse_header_name(text); algorithm) {
    OUTCROP_ASSERT(parse_header_name(header_name(*algorithm)) == algorithm);
  }
  return 0;
}
