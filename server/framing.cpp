#include "server/framing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace outcrop::server {
namespace {

constexpr std::uint8_t kToken = 1, kTarget = 2, kValue = 4, kHost = 8;

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> t{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto in = [c](std::string_view set) {
      return c < 128 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (alnum || in("!#$%&'*+-.^_`|~")) {
      t[c] |= kToken;
    }
    if (c > 0x20 && c < 0x7f && c != '#') {
      t[c] |= kTarget;
    }
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) {
      t[c] |= kValue;
    }
    if (alnum || in("-._~:[]%!$&'()*+;=")) {
      t[c] |= kHost;
    }
  }
  return t;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool all_of_class(std::string_view text, std::uint8_t cls) {
  std::uint8_t common = cls;
  for (const char c : text) {
    common &= kClasses[static_cast<unsigned char>(c)];
  }
  return common != 0;
}

/// Cuts the next item off a comma separated list.
std::string_view take_item(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view item = trim_blanks(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  return item;
}

bool is_token_list(std::string_view list) {
  while (!list.empty()) {
    const std::string_view item = take_item(list);
    if (!item.empty() && !is_token(item)) {
      return false;
    }
  }
  return true;
}

using Verdict = std::optional<Reject>;

Verdict check_request_line(std::string_view line, Framing& out) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || !is_token(line.substr(0, first))) {
    return Reject::bad_method;
  }
  const std::string_view method = line.substr(0, first);
  line.remove_prefix(first + 1);
  const std::size_t second = line.find(' ');
  const std::string_view target = line.substr(0, second);
  // Origin form only: absolute form and a Host field can disagree about whom the request is for.
  const bool asterisk = target == "*" && method == "OPTIONS";
  if (!asterisk && (!target.starts_with('/') || !all_of_class(target, kTarget))) {
    return Reject::bad_target;
  }
  if (second == std::string_view::npos) {
    return Reject::bad_version;
  }
  const std::string_view version = line.substr(second + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Reject::bad_version;
  }
  out.http10 = version.back() == '0';
  out.keep_alive = !out.http10;
  return std::nullopt;
}

/// What the fields say, collected while they are checked one by one.
class FieldGuard {
 public:
  explicit FieldGuard(Framing& out) : x_out(out) {}

  Verdict field(std::string_view line) {
    if (++x_count > kMaxHeaderFields) {
      return Reject::too_many_fields;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      return Reject::folded_field;
    }
    const std::size_t colon = line.find(':');
    // A blank before the colon is not a token, so it ends here too.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return Reject::bad_field_name;
    }
    const std::string_view value = line.substr(colon + 1);
    if (!is_field_value(value)) {
      return Reject::bad_field_value;
    }
    return known(line.substr(0, colon), trim_blanks(value));
  }

  Verdict finish() const {
    if (!x_host && !x_out.http10) {
      return Reject::missing_host;
    }
    if (x_out.chunked && x_out.content_length) {
      return Reject::length_and_transfer_encoding;
    }
    if (x_out.chunked && x_out.http10) {
      return Reject::transfer_encoding_in_http10;
    }
    return std::nullopt;
  }

 private:
  /// The length tells the few fields that matter here apart from the many that do not.
  Verdict known(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 4:
        return equal_ignoring_case(name, "host") ? host(value) : std::nullopt;
      case 6:
        return equal_ignoring_case(name, "expect") ? expect(value) : std::nullopt;
      case 10:
        return equal_ignoring_case(name, "connection") ? connection(value) : std::nullopt;
      case 14:
        return equal_ignoring_case(name, "content-length") ? length(value) : std::nullopt;
      case 16:  // without a meaning for us, but Beast reads it as if it had one
        return equal_ignoring_case(name, "proxy-connection") && !is_token_list(value)
                   ? Verdict(Reject::bad_connection)
                   : std::nullopt;
      case 17:
        return equal_ignoring_case(name, "transfer-encoding") ? encoding(value) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  Verdict host(std::string_view value) {
    if (x_host) {
      return Reject::repeated_host;
    }
    x_host = true;
    if (!value.empty() && !all_of_class(value, kHost)) {
      return Reject::bad_host;
    }
    return std::nullopt;
  }

  Verdict length(std::string_view value) {
    if (x_out.content_length) {
      return Reject::repeated_content_length;
    }
    std::uint64_t n = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), n);
    // from_chars takes a minus sign for no type that is unsigned, and a plus sign for none.
    if (value.empty() || ec != std::errc{} || end != value.data() + value.size() ||
        n > kMaxContentLength) {
      return Reject::bad_content_length;
    }
    x_out.content_length = n;
    return std::nullopt;
  }

  Verdict encoding(std::string_view value) {
    if (x_encoding) {
      return Reject::repeated_transfer_encoding;
    }
    x_encoding = true;
    if (!equal_ignoring_case(value, "chunked")) {
      return Reject::bad_transfer_encoding;
    }
    x_out.chunked = true;
    return std::nullopt;
  }

  /// There is but one expectation; RFC 9110 10.1.1 leaves it to us to pass over others, as S3 does.
  Verdict expect(std::string_view value) {
    if (equal_ignoring_case(value, "100-continue")) {
      x_out.expect_continue = !x_out.http10;
    }
    return std::nullopt;
  }

  Verdict connection(std::string_view value) {
    if (!is_token_list(value)) {
      return Reject::bad_connection;
    }
    while (!value.empty()) {
      const std::string_view option = take_item(value);
      if (equal_ignoring_case(option, "close")) {
        x_out.keep_alive = false;
        x_close = true;
      } else if (equal_ignoring_case(option, "keep-alive") && !x_close) {
        x_out.keep_alive = true;
      }
    }
    return std::nullopt;
  }

  Framing& x_out;
  std::size_t x_count = 0;
  bool x_host = false, x_encoding = false, x_close = false;
};

/// Cuts the next line off `rest`; its CRLF is gone. False if there is no proper line end.
bool take_line(std::string_view& rest, std::string_view& line) {
  const std::size_t lf = rest.find('\n');
  if (lf == std::string_view::npos || lf == 0 || rest[lf - 1] != '\r') {
    return false;
  }
  line = rest.substr(0, lf - 1);
  rest.remove_prefix(lf + 1);
  return true;
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_of_class(text, kToken); }
bool is_field_value(std::string_view text) { return all_of_class(text, kValue); }

std::string_view trim_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y;
         });
}

std::expected<std::size_t, Reject> HeadScanner::scan(std::string_view bytes) {
  // A TLS hello or any other protocol is told apart by its first byte, not by waiting for a line.
  if (!bytes.empty() && (kClasses[static_cast<unsigned char>(bytes.front())] & kToken) == 0) {
    return std::unexpected(Reject::bad_method);
  }
  while (x_scanned < bytes.size()) {
    const std::size_t lf = bytes.find('\n', x_scanned);
    if (lf == std::string_view::npos) {
      x_scanned = bytes.size();
      break;
    }
    if (lf == 0 || bytes[lf - 1] != '\r') {
      return std::unexpected(Reject::bad_line_end);
    }
    x_scanned = lf + 1;
    if (lf - 1 == x_line) {
      if (x_scanned > kMaxHeadBytes) {
        return std::unexpected(Reject::head_too_large);
      }
      return x_scanned;
    }
    x_line = x_scanned;
  }
  if (bytes.size() >= kMaxHeadBytes) {
    return std::unexpected(Reject::head_too_large);
  }
  return 0;
}

std::expected<Framing, Reject> check_head(std::string_view head) {
  if (head.size() > kMaxHeadBytes) {
    return std::unexpected(Reject::head_too_large);
  }
  Framing out;
  std::string_view line;
  if (!take_line(head, line)) {
    return std::unexpected(Reject::bad_line_end);
  }
  if (const Verdict bad = check_request_line(line, out)) {
    return std::unexpected(*bad);
  }
  FieldGuard guard(out);
  for (;;) {
    if (!take_line(head, line)) {
      return std::unexpected(Reject::bad_line_end);
    }
    if (line.empty()) {
      break;
    }
    if (const Verdict bad = guard.field(line)) {
      return std::unexpected(*bad);
    }
  }
  if (!head.empty()) {
    return std::unexpected(Reject::bad_line_end);
  }
  if (const Verdict bad = guard.finish()) {
    return std::unexpected(*bad);
  }
  return out;
}

std::string_view to_string(Reject reason) {
  switch (reason) {
    case Reject::head_too_large:
      return "request head is larger than 16 KiB";
    case Reject::too_many_fields:
      return "more than 100 header fields";
    case Reject::bad_line_end:
      return "line does not end in CR LF";
    case Reject::bad_method:
      return "malformed method";
    case Reject::bad_target:
      return "request target is not an origin-form path";
    case Reject::bad_version:
      return "HTTP version is not 1.1 or 1.0";
    case Reject::bad_field_name:
      return "malformed header field name";
    case Reject::bad_field_value:
      return "control byte in a header field value";
    case Reject::folded_field:
      return "folded header field";
    case Reject::missing_host:
      return "Host is missing";
    case Reject::repeated_host:
      return "Host is repeated";
    case Reject::bad_host:
      return "malformed Host";
    case Reject::bad_content_length:
      return "malformed Content-Length";
    case Reject::repeated_content_length:
      return "Content-Length is repeated";
    case Reject::bad_transfer_encoding:
      return "Transfer-Encoding is not exactly chunked";
    case Reject::repeated_transfer_encoding:
      return "Transfer-Encoding is repeated";
    case Reject::length_and_transfer_encoding:
      return "both Content-Length and Transfer-Encoding";
    case Reject::transfer_encoding_in_http10:
      return "Transfer-Encoding in HTTP/1.0";
    case Reject::bad_connection:
      return "malformed Connection";
  }
  return "malformed request";
}

}  // namespace outcrop::server
