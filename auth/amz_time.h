// Time stamps of signatures: "20130524T000000Z" (x-amz-date) and RFC 1123 (Date).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::auth {

/// Seconds since the Unix epoch; empty if the text is not exactly yyyyMMdd'T'HHmmss'Z'.
std::optional<std::int64_t> parse_amz_date(std::string_view text);

/// Seconds since the Unix epoch of "Fri, 24 May 2013 00:00:00 GMT"; empty for any other form.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// The inverse of parse_amz_date, for years 0 to 9999.
std::string format_amz_date(std::int64_t seconds);

}  // namespace outcrop::auth
