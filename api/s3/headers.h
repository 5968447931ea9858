// Request headers as values: dates, ranges, preconditions, object attributes. Pure functions.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/s3/error.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

inline constexpr std::size_t kMaxUserMetadataBytes = 2048;
inline constexpr std::string_view kMetaPrefix = "x-amz-meta-";
inline constexpr std::string_view kDefaultContentType = "binary/octet-stream";

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_http_date(std::int64_t ns);
/// "2026-11-21T23:19:36.000Z": whole seconds, like the header, so that clients can compare them.
std::string format_iso_date(std::int64_t ns);
/// The same two of seconds, which reach years that nanoseconds do not: up to 9999.
std::string format_http_seconds(std::int64_t seconds);
std::string format_iso_seconds(std::int64_t seconds);
/// Seconds since 1970 of the three forms of RFC 9110 5.6.7; empty if it is none of them.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// A whole number without sign or blanks; empty if it is not one or does not fit.
std::optional<std::uint64_t> parse_number(std::string_view text);

struct RangeResult {
  enum class Kind : std::uint8_t { whole, partial, unsatisfiable } kind = Kind::whole;
  ns::ByteRange range;
};
/// A Range header against an object of `size` bytes. What is no single byte range is no range at
/// all (RFC 9110 14.2), several ranges too: AWS answers with the whole object.
RangeResult resolve_range(std::string_view header, std::uint64_t size);

/// "bytes=first-last" of x-amz-copy-source-range, both ends given and inside the object.
Outcome<ns::ByteRange> resolve_copy_range(std::string_view header, std::uint64_t size);

struct ConditionNames {
  std::string_view if_match, if_none_match, if_modified_since, if_unmodified_since;
};
inline constexpr ConditionNames kObjectConditions{"if-match", "if-none-match", "if-modified-since",
                                                  "if-unmodified-since"};
inline constexpr ConditionNames kCopySourceConditions{
    "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-unmodified-since"};

enum class EtagCompare : std::uint8_t { strong, weak };  ///< RFC 9110 8.8.3.2
/// True if one of the ETags in a raw If-Match or If-None-Match value is `etag`; "*" is all of them.
bool etag_listed(std::string_view header, std::string_view etag, EtagCompare compare);

/// Preconditions of a read, in the order of RFC 9110 13.2.2: ok, not_modified, or
/// precondition_failed with the condition that did not hold.
Outcome<> check_read(const ns::Conditions& conditions, const ns::ObjectInfo& info);

/// True for text that can stand in a header: no control characters.
bool valid_header_value(std::string_view value);

/// Content-Encoding without the aws-chunked transfer coding, which is no property of the object.
std::string strip_aws_chunked(std::string_view encoding);

/// Without surrounding quotes and weak mark.
std::string_view unquoted(std::string_view etag);
std::string quoted_etag(std::string_view etag);

bool same_text(std::string_view a, std::string_view b);  ///< ASCII, ignoring case
std::string lower(std::string_view text);

}  // namespace outcrop::s3
