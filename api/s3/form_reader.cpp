#include "api/s3/form_reader.h"

#include <algorithm>
#include <span>

#include "api/s3/headers.h"

namespace outcrop::s3 {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::string_view kCrlf = "\r\n";

std::unexpected<S3Error> malformed() { return fail(Code::malformed_post_request); }

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == text.npos ? std::string_view{}
                            : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// One parameter value at the front of `text`, which is moved behind it. Browsers write a quote
/// inside as %22 or \"; a backslash in front of anything else is part of a Windows path.
std::string take_value(std::string_view& text) {
  std::string out;
  if (!text.starts_with('"')) {
    out = trimmed(text.substr(0, text.find(';')));
    text.remove_prefix(std::min(text.find(';'), text.size()));
    return out;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    if (text.starts_with("\\\"")) {
      text.remove_prefix(1);
    }
    out.push_back(text.front());
    text.remove_prefix(1);
  }
  text.remove_prefix(text.empty() ? 0 : 1);
  return out;
}

/// The value of a parameter of "form-data; name=...; filename=...".
std::optional<std::string> parameter(std::string_view text, std::string_view wanted) {
  text.remove_prefix(std::min(text.find(';'), text.size()));
  while (text.starts_with(';')) {
    text.remove_prefix(1);
    const auto equals = text.find('=');
    if (equals == text.npos) {
      return std::nullopt;
    }
    const std::string_view name = trimmed(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::string value = take_value(text);
    if (same_text(name, wanted)) {
      return value;
    }
    text.remove_prefix(std::min(text.find(';'), text.size()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> Form::find(std::string_view name) const {
  const auto at = std::ranges::find(fields, name, &FormField::name);
  return at == fields.end() ? std::nullopt : std::optional<std::string_view>(at->value);
}

std::optional<std::string> form_boundary(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (!same_text(type, "multipart/form-data")) {
    return std::nullopt;
  }
  auto boundary = parameter(content_type, "boundary");
  const auto control = [](unsigned char c) { return c < 0x20 || c >= 0x7f; };
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary ||
      std::ranges::any_of(*boundary, control)) {
    return std::nullopt;
  }
  return boundary;
}

/// The first boundary has no line end in front of it: one is made up.
FormReader::FormReader(http::BodyReader& body, std::string_view boundary)
    : x_body(body), x_delimiter("\r\n--" + std::string(boundary)), x_buffer(kCrlf) {}

Async<Outcome<>> FormReader::fill() {
  if (x_begin > 0) {
    x_buffer.erase(0, x_begin);
    x_begin = 0;
  }
  const std::size_t had = x_buffer.size();
  // In front of the file no more is taken in than the form may have.
  const std::size_t most =
      x_in_head ? std::min(kReadBytes, kMaxFormBytes + 1 - std::min(kMaxFormBytes, x_head_bytes))
                : kReadBytes;
  x_buffer.resize(had + most);
  const MutBytes room = std::as_writable_bytes(std::span(x_buffer)).subspan(had);
  const auto n = co_await x_body.read_some(room);
  x_buffer.resize(had + n.value_or(0));
  if (!n) {
    co_return n.error().code() == Errc::invalid_argument  // broken HTTP chunking
        ? fail(Code::incomplete_body)
        : std::unexpected(S3Error(n.error()));
  }
  if (*n == 0) {
    co_return malformed();
  }
  if (x_in_head) {
    x_head_bytes += *n;
  }
  co_return Outcome<>{};
}

Async<Outcome<std::string>> FormReader::take_until_delimiter() {
  for (;;) {
    const auto at = x_buffer.find(x_delimiter, x_begin);
    if (at != x_buffer.npos) {
      std::string out = x_buffer.substr(x_begin, at - x_begin);
      x_begin = at + x_delimiter.size();
      co_return out;
    }
    if (x_head_bytes > kMaxFormBytes) {
      co_return fail(Code::max_post_pre_data_exceeded);
    }
    S3_CO_TRYV(co_await fill());
  }
}

Async<Outcome<std::string>> FormReader::take_line() {
  for (;;) {
    const auto at = x_buffer.find(kCrlf, x_begin);
    if (at != x_buffer.npos) {
      std::string out = x_buffer.substr(x_begin, at - x_begin);
      x_begin = at + kCrlf.size();
      co_return out;
    }
    if (x_head_bytes > kMaxFormBytes) {
      co_return fail(Code::max_post_pre_data_exceeded);
    }
    S3_CO_TRYV(co_await fill());
  }
}

/// What follows a boundary: two dashes at the end of the form, blanks and a line end else.
Async<Outcome<FormReader::Ending>> FormReader::read_ending() {
  while (x_buffer.size() - x_begin < 2) {
    S3_CO_TRYV(co_await fill());
  }
  if (std::string_view(x_buffer).substr(x_begin, 2) == "--") {
    co_return Ending::form;
  }
  S3_CO_TRY(const std::string rest, co_await take_line());
  if (!trimmed(rest).empty()) {
    co_return malformed();
  }
  co_return Ending::part;
}

Async<Outcome<FormReader::PartHead>> FormReader::read_head() {
  PartHead out;
  for (;;) {
    S3_CO_TRY(const std::string line, co_await take_line());
    if (line.empty()) {
      break;
    }
    const std::string_view text(line);
    const auto colon = text.find(':');
    if (colon == text.npos) {
      co_return malformed();
    }
    if (!same_text(trimmed(text.substr(0, colon)), "content-disposition")) {
      continue;
    }
    const std::string_view disposition = trimmed(text.substr(colon + 1));
    if (!same_text(trimmed(disposition.substr(0, disposition.find(';'))), "form-data")) {
      co_return malformed();
    }
    out.name = lower(parameter(disposition, "name").value_or(""));
    out.file_name = parameter(disposition, "filename").value_or("");
  }
  if (out.name.empty()) {
    co_return malformed();
  }
  co_return out;
}

Async<Outcome<Form>> FormReader::read_fields() {
  Form form;
  S3_CO_TRYV(co_await take_until_delimiter());  // a preamble means nothing
  for (;;) {
    S3_CO_TRY(const Ending ending, co_await read_ending());
    if (ending == Ending::form) {
      co_return form;
    }
    S3_CO_TRY(PartHead head, co_await read_head());
    if (head.name == "file") {
      const auto slash = head.file_name.find_last_of("/\\");
      form.file_name =
          slash == head.file_name.npos ? head.file_name : head.file_name.substr(slash + 1);
      form.has_file = true;
      x_in_head = false;
      co_return form;
    }
    if (form.find(head.name)) {
      co_return bad_argument("Bucket POST must contain every field once only.", head.name, "");
    }
    S3_CO_TRY(std::string value, co_await take_until_delimiter());
    form.fields.push_back({std::move(head.name), std::move(value)});
  }
}

Async<Outcome<std::string_view>> FormReader::next() {
  while (!x_file_ended) {
    const std::string_view rest = std::string_view(x_buffer).substr(x_begin);
    const auto at = rest.find(x_delimiter);
    const std::size_t sure = at != rest.npos ? at
                             : rest.size() >= x_delimiter.size()
                                 ? rest.size() - x_delimiter.size() + 1
                                 : 0;
    if (sure > 0) {
      x_begin += sure;
      co_return rest.substr(0, sure);
    }
    if (at != rest.npos) {
      x_file_ended = true;
      x_begin += at + x_delimiter.size();
      break;
    }
    S3_CO_TRYV(co_await fill());
  }
  co_return std::string_view{};
}

}  // namespace outcrop::s3
