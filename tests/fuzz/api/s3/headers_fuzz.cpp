// Ranges, dates, ETag lists and continuation tokens: results are inside the object, and what was
// given out is taken back.
#include <cstdint>
#include <string>

#include "api/s3/headers.h"
#include "api/s3/list_token.h"
#include "api/s3/xml_out.h"
#include "storage/base/assert.h"

using namespace outcrop;

namespace {

void check_ranges(const std::string& text, std::uint64_t size) {
  const s3::RangeResult range = s3::resolve_range(text, size);
  if (range.kind == s3::RangeResult::Kind::partial) {
    OUTCROP_ASSERT(range.range.length > 0 && range.range.offset < size);
    OUTCROP_ASSERT(range.range.length <= size - range.range.offset);
  }
  if (const auto copy = s3::resolve_copy_range(text, size)) {
    OUTCROP_ASSERT(copy->length > 0 && copy->length <= size - copy->offset);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  check_ranges(text, data[0]);
  check_ranges("bytes=" + text, data[0]);
  (void)s3::parse_http_date(text);
  (void)s3::etag_listed(text, "etag", s3::EtagCompare::strong);
  const std::string stripped = s3::strip_aws_chunked(text);
  OUTCROP_ASSERT(stripped == s3::strip_aws_chunked(stripped));
  if (const auto name = s3::decode_token(text); name && !text.empty()) {
    OUTCROP_ASSERT(s3::decode_token(s3::encode_token(*name)) == *name);
  }
  if (text.size() <= 1024 && !text.empty()) {
    const auto back = s3::decode_token(s3::encode_token(text));
    OUTCROP_ASSERT(back && *back == text);
  }
  std::string escaped;
  s3::append_escaped(escaped, text);
  OUTCROP_ASSERT(escaped.find('<') == std::string::npos);
  return 0;
}
