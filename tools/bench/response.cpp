#include "tools/bench/response.h"

#include <charconv>

namespace outcrop::bench {
namespace {

constexpr std::size_t kLineMax = 8192;

bool same(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::ranges::equal(a, lower, [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
         });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class T>
bool parse_number(std::string_view text, T& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<void> take_header(ResponseHead& head, std::string_view key, std::string_view value) {
  // Lengths first: most headers are told apart by them.
  switch (key.size()) {
    case 4:
      if (same(key, "etag")) {
        head.etag = value;
      }
      break;
    case 10:
      if (same(key, "connection")) {
        head.close = same(value, "close");
      }
      break;
    case 14:
      if (same(key, "content-length")) {
        std::uint64_t length = 0;
        if (!parse_number(value, length)) {
          return fail(Errc::corrupt, "bad Content-Length");
        }
        head.content_length = length;
      }
      break;
    case 17:
      if (same(key, "transfer-encoding")) {
        head.chunked = same(value, "chunked");
      }
      break;
    default:
      break;
  }
  return ok();
}

}  // namespace

Result<ResponseHead> parse_head(std::string_view text) {
  ResponseHead head;
  // "HTTP/1.1 200 OK"
  if (!text.starts_with("HTTP/1.") || text.size() < 12 ||
      !parse_number(text.substr(9, 3), head.status)) {
    return fail(Errc::corrupt, "not an HTTP/1 response");
  }
  head.close = text[7] == '0';
  std::size_t at = text.find("\r\n");
  while (at != std::string_view::npos && at + 2 < text.size()) {
    at += 2;
    const std::size_t end = text.find("\r\n", at);
    const std::string_view line = text.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (!line.empty() && colon == std::string_view::npos) {
      return fail(Errc::corrupt, "bad response header");
    }
    if (!line.empty()) {
      TRYV(take_header(head, line.substr(0, colon), trimmed(line.substr(colon + 1))));
    }
    at = end;
  }
  return head;
}

Result<std::size_t> ChunkedBody::feed(std::string_view data, std::string* out) {
  std::size_t at = 0;
  while (at < data.size() && x_state != State::done) {
    if (x_state == State::data) {
      const std::size_t n = std::min<std::uint64_t>(x_left, data.size() - at);
      if (out != nullptr) {
        out->append(data.substr(at, n));
      }
      at += n;
      x_left -= n;
      x_payload += n;
      if (x_left == 0) {
        x_state = State::data_end;
      }
      continue;
    }
    const char c = data[at++];
    if (c != '\n') {
      x_line.push_back(c);
      if (x_line.size() > kLineMax) {
        return fail(Errc::corrupt, "chunk line too long");
      }
      continue;
    }
    TRYV(end_of_line());
    x_line.clear();
  }
  return at;
}

Result<void> ChunkedBody::end_of_line() {
  if (!x_line.ends_with('\r')) {
    return fail(Errc::corrupt, "bare newline in chunked body");
  }
  const std::string_view line = std::string_view(x_line).substr(0, x_line.size() - 1);
  switch (x_state) {
    case State::size:
      if (!parse_number(trimmed(line.substr(0, line.find(';'))), x_left, 16)) {
        return fail(Errc::corrupt, "bad chunk size");
      }
      x_state = x_left == 0 ? State::trailer : State::data;
      return ok();
    case State::data_end:
      if (!line.empty()) {
        return fail(Errc::corrupt, "chunk longer than its size");
      }
      x_state = State::size;
      return ok();
    case State::trailer:
      x_state = line.empty() ? State::done : State::trailer;
      return ok();
    case State::data:
    case State::done:
      break;
  }
  return fail(Errc::internal);
}

std::string_view xml_text(std::string_view xml, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">";
  const std::string close = "</" + std::string(tag) + ">";
  const std::size_t from = xml.find(open);
  const std::size_t to = from == std::string_view::npos ? from : xml.find(close, from);
  if (to == std::string_view::npos) {
    return {};
  }
  return xml.substr(from + open.size(), to - from - open.size());
}

}  // namespace outcrop::bench
