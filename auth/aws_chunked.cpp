#include "auth/aws_chunked.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "storage/base/assert.h"

namespace outcrop::auth {
namespace {

constexpr std::string_view kExtension = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
// 16 hex digits, the extension, 64 digits of signature, CRLF.
constexpr std::size_t kMaxHeaderLine = 16 + kExtension.size() + 64 + 2;
constexpr std::size_t kMaxTrailerLine = 1024;

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Lower-cases a header name; empty if it is none.
std::string header_name(std::string_view text) {
  std::string name(trim(text));
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
      return {};
    }
  }
  return name;
}

bool parse_number(std::string_view text, int base, std::uint64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return !text.empty() && error == std::errc() && stop == end;
}

}  // namespace

std::string_view to_string(ChunkError error) noexcept {
  switch (error) {
    case ChunkError::none:
      return "none";
    case ChunkError::missing_decoded_length:
      return "missing_decoded_length";
    case ChunkError::incomplete_body:
      return "incomplete_body";
    case ChunkError::signature_mismatch:
      return "signature_mismatch";
    case ChunkError::malformed:
      return "malformed";
    case ChunkError::oversize:
      return "oversize";
    case ChunkError::trailer_mismatch:
      return "trailer_mismatch";
  }
  return "unknown";
}

std::expected<ChunkOptions, ChunkError> chunk_options(const http::Request& request,
                                                      const Authentication& authentication) {
  ChunkOptions options;
  options.form = authentication.payload;
  options.signing = authentication.chunks;
  const auto length = request.header("x-amz-decoded-content-length");
  if (!length || !parse_number(*length, 10, options.decoded_length)) {
    return std::unexpected(ChunkError::missing_decoded_length);
  }
  std::string_view rest = request.header("x-amz-trailer").value_or("");
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
    std::string name = header_name(piece);
    if (name.empty() || options.trailer_names.size() == kMaxTrailers) {
      return std::unexpected(ChunkError::trailer_mismatch);
    }
    options.trailer_names.push_back(std::move(name));
  }
  std::ranges::sort(options.trailer_names);
  return options;
}

ChunkDecoder::ChunkDecoder(ChunkOptions options)
    : x_options(std::move(options)), x_object_left(x_options.decoded_length) {
  const bool wants_signatures = x_options.form == PayloadForm::streaming_signed ||
                                x_options.form == PayloadForm::streaming_signed_trailer;
  OUTCROP_ASSERT(wants_signatures == x_options.signing.has_value());
  if (wants_signatures) {
    x_hmac.emplace(x_options.signing->signing_key);
    x_hash.emplace();
    x_previous_signature = x_options.signing->seed_signature;
  }
}

ChunkDecoder::Need ChunkDecoder::need() const {
  switch (x_state) {
    case State::payload:
      return Need::payload;
    case State::done:
      return Need::nothing;
    case State::failed:
      return Need::failed;
    case State::chunk_header:
    case State::payload_end:
    case State::trailer:
    case State::end:
      return Need::framing;
  }
  return Need::failed;
}

std::size_t ChunkDecoder::line_limit() const {
  return x_state == State::trailer        ? kMaxTrailerLine
         : x_state == State::chunk_header ? kMaxHeaderLine
         : x_state == State::payload_end  ? 2
                                          : 0;
}

void ChunkDecoder::fail_with(ChunkError error) {
  x_state = State::failed;
  x_error = error;
}

std::size_t ChunkDecoder::framing(ConstBytes input) {
  const std::string_view text = as_text(input);
  std::size_t used = 0;
  while (used < text.size() && need() == Need::framing) {
    const std::string_view rest = text.substr(used);
    const std::size_t newline = rest.find('\n');
    const std::size_t size = newline == std::string_view::npos ? rest.size() : newline + 1;
    used += size;
    if (size > line_limit() - std::min(x_line.size(), line_limit())) {
      fail_with(ChunkError::malformed);
    } else {
      x_line.append(rest.substr(0, size));
      if (newline != std::string_view::npos) {
        const std::string line = std::exchange(x_line, {});
        take_line(line);
      }
    }
  }
  if (x_state == State::done) {
    fail_with(ChunkError::malformed);
  }
  return x_state == State::failed ? input.size() : used;
}

/// `line` ends in LF.
void ChunkDecoder::take_line(std::string_view line) {
  line.remove_suffix(1);
  const bool crlf = line.ends_with('\r');
  if (crlf) {
    line.remove_suffix(1);
  }
  if (x_state == State::trailer) {
    // Some signers end a trailer line in LF and follow it with CRLF, which is not the empty line
    // that ends the trailers.
    const bool ends_last_line = line.empty() && crlf && x_bare_newline;
    x_bare_newline = !crlf;
    if (!ends_last_line) {
      line.empty() ? finish_trailers() : take_trailer_line(line);
    }
  } else if (!crlf || (x_state == State::payload_end && !line.empty())) {
    fail_with(ChunkError::malformed);
  } else if (x_state == State::payload_end) {
    x_state = State::chunk_header;
  } else {
    take_chunk_header(line);
  }
}

void ChunkDecoder::take_chunk_header(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  const std::string_view extension = line.substr(digits.size());
  const bool well_formed =
      is_signed() ? extension.starts_with(kExtension) && extension.size() == kExtension.size() + 64
                  : extension.empty();
  std::uint64_t size = 0;
  if (!well_formed || digits.size() > 16 || !parse_number(digits, 16, size)) {
    return fail_with(ChunkError::malformed);
  }
  if (size > x_object_left || (is_signed() && size > kMaxSignedChunk)) {
    return fail_with(ChunkError::oversize);
  }
  if (size == 0 && x_object_left > 0) {
    return fail_with(ChunkError::incomplete_body);
  }
  if (is_signed()) {
    x_chunk_signature = extension.substr(kExtension.size());
  }
  x_left = size;
  x_state = State::payload;
  if (size == 0) {
    finish_chunk(State::trailer);
  }
}

void ChunkDecoder::payload(ConstBytes bytes) {
  OUTCROP_ASSERT(x_state == State::payload && bytes.size() <= x_left);
  if (x_hash) {
    x_hash->update(bytes);
  }
  x_left -= bytes.size();
  x_object_left -= bytes.size();
  if (x_left == 0) {
    finish_chunk(State::payload_end);
  }
}

/// All bytes of the chunk are here.
void ChunkDecoder::finish_chunk(State next) {
  if (x_hash) {
    std::string hashes(kEmptySha256);
    hashes.push_back('\n');
    append_hex(x_hash->finish(), hashes);
    if (!advance_chain("AWS4-HMAC-SHA256-PAYLOAD", hashes, x_chunk_signature)) {
      return fail_with(ChunkError::signature_mismatch);
    }
  }
  x_state = next;
}

/// Verifies the next signature of the chain and makes it the one that its successor signs over.
bool ChunkDecoder::advance_chain(std::string_view algorithm,
                                 std::string_view hashes,
                                 std::string_view signature) {
  x_to_sign.assign(algorithm).push_back('\n');
  x_to_sign.append(x_options.signing->timestamp).push_back('\n');
  x_to_sign.append(x_options.signing->scope).push_back('\n');
  x_to_sign.append(x_previous_signature).push_back('\n');
  x_to_sign.append(hashes);
  x_previous_signature.clear();
  append_hex(x_hmac->sign(x_to_sign), x_previous_signature);
  return equal_constant_time(x_previous_signature, signature);
}

void ChunkDecoder::take_trailer_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  std::string name = header_name(line.substr(0, colon));
  const bool printable =
      std::ranges::all_of(line, [](char c) { return c == '\t' || (c >= ' ' && c != '\x7f'); });
  if (colon == std::string_view::npos || name.empty() || !printable) {
    return fail_with(ChunkError::malformed);
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (x_trailer_signature || x_trailers.size() == kMaxTrailers) {
    return fail_with(ChunkError::malformed);
  }
  if (x_options.form == PayloadForm::streaming_signed_trailer && name == kTrailerSignature) {
    x_trailer_signature = value;
    return;
  }
  x_trailers.push_back({std::move(name), std::string(value)});
}

bool ChunkDecoder::trailer_signature_ok() {
  std::string text;
  for (const http::Header& trailer : x_trailers) {
    text.append(trailer.name).append(":").append(trailer.value).append("\n");
  }
  return advance_chain("AWS4-HMAC-SHA256-TRAILER", to_hex(sha256(text)),
                       x_trailer_signature.value_or(""));
}

void ChunkDecoder::finish_trailers() {
  if (x_options.form == PayloadForm::streaming_signed_trailer && !trailer_signature_ok()) {
    return fail_with(ChunkError::signature_mismatch);
  }
  std::vector<std::string_view> names;
  for (const http::Header& trailer : x_trailers) {
    names.push_back(trailer.name);
  }
  std::ranges::sort(names);
  if (!std::ranges::equal(names, x_options.trailer_names)) {
    return fail_with(ChunkError::trailer_mismatch);
  }
  x_state = State::end;
}

void ChunkDecoder::end_of_input() {
  if (x_state == State::end) {
    x_state = State::done;
  } else if (x_state != State::done && x_state != State::failed) {
    fail_with(ChunkError::incomplete_body);
  }
}

}  // namespace outcrop::auth
