// The framing guard: decides from the raw bytes of a request head whether its framing has exactly
// one reading. Stands in front of the HTTP parser, which accepts 13 of the 33 known ambiguous
// framings. Sans-IO and pure. After any rejection the answer is 400 and the connection is closed:
// bytes behind a head that two parties may read differently are never taken for a next request.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace outcrop::server {

/// Request line, fields and the blank line; AWS allows 8 KiB of headers, so twice that is generous.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;
inline constexpr std::size_t kMaxHeaderFields = 100;
/// Content-Length above this is nonsense and would overflow sums of sizes.
inline constexpr std::uint64_t kMaxContentLength = INT64_MAX;

enum class Reject : std::uint8_t {
  head_too_large,
  too_many_fields,
  bad_line_end,
  bad_method,
  bad_target,
  bad_version,
  bad_field_name,
  bad_field_value,
  folded_field,
  missing_host,
  repeated_host,
  bad_host,
  bad_content_length,
  repeated_content_length,
  bad_transfer_encoding,
  repeated_transfer_encoding,
  length_and_transfer_encoding,
  transfer_encoding_in_http10,
  bad_connection,
};
/// One line for the client and the log.
std::string_view to_string(Reject reason);

/// What the head says about the message around it.
struct Framing {
  bool http10 = false;
  bool keep_alive = true;
  bool expect_continue = false;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;  ///< empty: no body, unless chunked
};

/// Finds the end of the head in bytes that arrive piece by piece.
class HeadScanner {
 public:
  /// `bytes`: all that has arrived since the start of the head. The size of the head including its
  /// blank line; 0 if more bytes are needed. Rejects early what can never become a head.
  std::expected<std::size_t, Reject> scan(std::string_view bytes);
  void reset() { x_scanned = x_line = 0; }

 private:
  std::size_t x_scanned = 0;  // bytes already searched for a line end
  std::size_t x_line = 0;     // where the current line starts
};

/// `head`: exactly one head as HeadScanner measured it.
std::expected<Framing, Reject> check_head(std::string_view head);

/// The grammar's token (RFC 9110 5.6.2): methods, field names, chunk extension names.
bool is_token(std::string_view text);
/// No control bytes but HTAB; obs-text (UTF-8 in metadata) is legal.
bool is_field_value(std::string_view text);
std::string_view trim_blanks(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view lower);

}  // namespace outcrop::server
