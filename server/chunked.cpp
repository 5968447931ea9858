#include "server/chunked.h"

#include <charconv>

#include "server/framing.h"
#include "storage/base/assert.h"

namespace outcrop::server {
namespace {

/// `"..."` with backslash escapes; returns the length with quotes, 0 if malformed.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

/// *( ";" token [ "=" ( token / quoted-string ) ] )
bool valid_extensions(std::string_view text) {
  while (!text.empty()) {
    if (text.front() != ';') {
      return false;
    }
    text.remove_prefix(1);
    const std::size_t name = std::min(text.find_first_of("=;"), text.size());
    if (!is_token(text.substr(0, name))) {
      return false;
    }
    text.remove_prefix(name);
    if (!text.starts_with('=')) {
      continue;
    }
    text.remove_prefix(1);
    std::size_t value = 0;
    if (text.starts_with('"')) {
      value = quoted_length(text);
      if (value == 0 || !is_field_value(text.substr(0, value))) {
        return false;
      }
    } else {
      value = std::min(text.find(';'), text.size());
      if (!is_token(text.substr(0, value))) {
        return false;
      }
    }
    text.remove_prefix(value);
  }
  return true;
}

}  // namespace

std::unexpected<Error> ChunkedDecoder::broken(std::string_view why) {
  x_state = State::broken;
  x_left = 0;
  return fail(Errc::invalid_argument, "chunked body: " + std::string(why));
}

void ChunkedDecoder::took(std::uint64_t n) {
  OUTCROP_ASSERT(n <= x_left);
  x_left -= n;
  if (x_left == 0 && x_state == State::payload) {
    x_state = State::payload_end;
  }
}

std::size_t ChunkedDecoder::line_limit() const {
  switch (x_state) {
    case State::size:
      return kMaxChunkLine;
    case State::trailer:
      return kMaxTrailerBytes - x_trailer_bytes;
    default:
      return 0;
  }
}

Result<std::size_t> ChunkedDecoder::eat(std::string_view in) {
  std::size_t eaten = 0;
  while (eaten < in.size() && x_state != State::payload && x_state != State::done) {
    if (x_state == State::broken) {
      return broken("used after an error");
    }
    const std::string_view rest = in.substr(eaten);
    const std::size_t lf = rest.find('\n');
    const std::size_t piece = lf == std::string_view::npos ? rest.size() : lf + 1;
    if (x_line.size() + piece > line_limit() + 2) {
      return broken("line too long");
    }
    x_line.append(rest.substr(0, piece));
    eaten += piece;
    if (lf == std::string_view::npos) {
      break;
    }
    if (!x_line.ends_with("\r\n")) {
      return broken("line does not end in CR LF");
    }
    x_line.resize(x_line.size() - 2);
    TRYV(line(x_line));
    x_line.clear();
  }
  return eaten;
}

Result<void> ChunkedDecoder::line(std::string_view text) {
  if (x_state == State::size) {
    return size_line(text);
  }
  if (x_state == State::trailer) {
    return trailer_line(text);
  }
  // payload_end: line_limit() let nothing but the bare CRLF through.
  x_state = State::size;
  return ok();
}

Result<void> ChunkedDecoder::size_line(std::string_view text) {
  const std::size_t digits = std::min(text.find(';'), text.size());
  const char* const end = text.data() + digits;
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(text.data(), end, size, 16);
  if (digits == 0 || parsed.ec != std::errc{} || parsed.ptr != end || size > kMaxContentLength) {
    return broken("malformed chunk size");
  }
  if (!valid_extensions(text.substr(digits))) {
    return broken("malformed chunk extension");
  }
  x_left = size;
  x_state = size == 0 ? State::trailer : State::payload;
  return ok();
}

Result<void> ChunkedDecoder::trailer_line(std::string_view text) {
  if (text.empty()) {
    x_state = State::done;
    return ok();
  }
  x_trailer_bytes += text.size() + 2;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  if (colon == text.size() || !is_token(name) || !is_field_value(text.substr(colon + 1))) {
    return broken("malformed trailer field");
  }
  // Fields that would change how the message or its target is read must not come after the body.
  for (const std::string_view forbidden : {"content-length", "transfer-encoding", "host"}) {
    if (equal_ignoring_case(name, forbidden)) {
      return broken("framing field in the trailer");
    }
  }
  return ok();
}

}  // namespace outcrop::server
