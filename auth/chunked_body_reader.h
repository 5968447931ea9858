// A request body without its aws-chunked framing: what handlers read for the STREAMING payload
// forms. Owned by the handler's frame, on top of the session's reader; one coroutine at a time.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "api/http/message.h"
#include "auth/aws_chunked.h"

namespace outcrop::auth {

class ChunkedBodyReader final : public http::BodyReader {
 public:
  /// `inner` must outlive the reader; `options` come from chunk_options().
  ChunkedBodyReader(http::BodyReader& inner, ChunkOptions options)
      : x_inner(inner), x_decoder(std::move(options)) {}

  /// Decoded bytes; `out` is borrowed until completion and most payload is read straight into it.
  /// The last bytes of the object are returned only after every signature, the trailers and the end
  /// of the body have been checked, so nothing may be committed before they (or, for an empty
  /// object, the 0) have been returned. Errors: those of the inner reader; access_denied (a
  /// signature) and invalid_argument (all else), with last_error() telling which.
  Task<std::size_t> read_some(MutBytes out) override;
  /// The decoded length: x-amz-decoded-content-length.
  std::optional<std::uint64_t> content_length() const override {
    return x_decoder.decoded_length();
  }

  /// Complete when read_some() has returned 0 or the last byte.
  const std::vector<http::Header>& trailers() const { return x_decoder.trailers(); }
  ChunkError last_error() const { return x_decoder.error(); }

 private:
  Task<> take_framing();
  Task<std::size_t> take_payload(MutBytes out);
  Error failure() const;

  /// Enough for chunk header and trailers in one read, and for a small object as a whole.
  static constexpr std::size_t kFramingBytes = 4096;

  http::BodyReader& x_inner;
  ChunkDecoder x_decoder;
  std::array<std::byte, kFramingBytes> x_buffer;
  std::size_t x_begin = 0, x_end = 0;  ///< bytes read but not decoded yet
};

}  // namespace outcrop::auth
