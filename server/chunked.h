// Transfer-Encoding: chunked, taken off strictly (RFC 9112 7.1). Sans-IO: the decoder eats framing
// bytes and says how many payload bytes follow; the payload itself never passes through it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::server {

/// Size and extensions of one chunk; nobody sends extensions, so this is generous.
inline constexpr std::size_t kMaxChunkLine = 256;
/// All trailer fields together. They are checked and discarded: what S3 sends as trailers travels
/// inside aws-chunked, below this layer.
inline constexpr std::size_t kMaxTrailerBytes = 8 * 1024;

class ChunkedDecoder {
 public:
  /// Eats framing from the front of `in` until payload follows, the body ends, or `in` is used up.
  /// Returns the bytes eaten; 0 while payload_left() > 0 and after done(). invalid_argument if the
  /// framing is broken: the connection cannot be used any more.
  Result<std::size_t> eat(std::string_view in);
  /// Payload bytes of the current chunk that are still to come.
  std::uint64_t payload_left() const { return x_left; }
  /// `n` <= payload_left() payload bytes have been read.
  void took(std::uint64_t n);
  bool done() const { return x_state == State::done; }

 private:
  enum class State : std::uint8_t { size, payload, payload_end, trailer, done, broken };
  Result<void> line(std::string_view text);
  Result<void> size_line(std::string_view text);
  Result<void> trailer_line(std::string_view text);
  std::size_t line_limit() const;
  std::unexpected<Error> broken(std::string_view why);

  State x_state = State::size;
  std::uint64_t x_left = 0;
  std::size_t x_trailer_bytes = 0;
  std::string x_line;  // a line whose end has not arrived yet
};

}  // namespace outcrop::server
