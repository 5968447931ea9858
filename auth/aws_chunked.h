// Decoder of aws-chunked bodies, the three STREAMING payload forms. Sans-IO: framing bytes go in,
// it says where the payload is, and the payload itself may go straight to its destination.
//
//   ChunkDecoder d(options);
//   while (d.need() is framing or payload)
//     framing: read some bytes anywhere; d.framing(bytes) tells how many of them were framing
//     payload: read at most d.payload_left() bytes where they belong; d.payload(those bytes)
//     at the end of the input: d.end_of_input()
//
// or push(bytes, sink), which does the same for bytes already in memory. A signed chunk is verified
// when its last byte has arrived: payload is not trustworthy before need() is Need::nothing.
// Source: AWS "Signature calculations for the Authorization header: multiple chunks / trailers".
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "auth/authenticator.h"
#include "auth/crypto.h"
#include "storage/base/bytes.h"

namespace outcrop::auth {

enum class ChunkError : std::uint8_t {
  none,
  missing_decoded_length,  ///< x-amz-decoded-content-length absent or not a number
  incomplete_body,         ///< the body ended early, or holds less than it announced
  signature_mismatch,      ///< of a chunk or of the trailer
  malformed,               ///< framing that is not aws-chunked, or bytes after the end
  oversize,                ///< a chunk above the limit, or more payload than announced
  trailer_mismatch,        ///< trailers are not the ones x-amz-trailer names
};
std::string_view to_string(ChunkError error) noexcept;

/// A signed chunk is given out before it can be verified: this bounds how much. Unsigned chunks are
/// bounded by the announced length only, for SDKs send a whole object as one such chunk.
inline constexpr std::uint64_t kMaxSignedChunk = 16ULL << 20;
inline constexpr std::size_t kMaxTrailers = 8;

struct ChunkOptions {
  PayloadForm form = PayloadForm::streaming_unsigned_trailer;
  std::uint64_t decoded_length = 0;
  std::optional<ChunkSigning> signing;     ///< exactly for the signed forms
  std::vector<std::string> trailer_names;  ///< x-amz-trailer: lower case, sorted
};

/// From the headers of an authenticated request with a streaming payload form.
std::expected<ChunkOptions, ChunkError> chunk_options(const http::Request& request,
                                                      const Authentication& authentication);

class ChunkDecoder {
 public:
  enum class Need : std::uint8_t { framing, payload, nothing, failed };

  explicit ChunkDecoder(ChunkOptions options);

  Need need() const;
  /// Bytes that the current chunk still has; 0 unless need() is payload.
  std::uint64_t payload_left() const { return x_state == State::payload ? x_left : 0; }
  /// Bytes of the whole object still to come.
  std::uint64_t object_left() const { return x_object_left; }
  /// Takes framing from the front of `input`, up to where payload begins or the input ends;
  /// returns how many bytes that were. All of them after a failure.
  std::size_t framing(ConstBytes input);
  /// The next bytes of the current chunk, at most payload_left().
  void payload(ConstBytes bytes);
  void end_of_input();

  /// Feeds any bytes and hands each run of payload, a part of `input`, to sink(ConstBytes).
  /// False after a failure.
  template <class Sink>
  bool push(ConstBytes input, Sink&& sink) {
    while (!input.empty()) {
      if (need() == Need::payload) {
        const std::size_t n =
            static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), x_left));
        sink(input.first(n));
        payload(input.first(n));
        input = input.subspan(n);
      } else {
        input = input.subspan(framing(input));
      }
    }
    return x_state != State::failed;
  }

  ChunkError error() const { return x_error; }
  /// Names in lower case; complete when need() is nothing. The signature is not among them.
  const std::vector<http::Header>& trailers() const { return x_trailers; }
  std::uint64_t decoded_length() const { return x_options.decoded_length; }

 private:
  enum class State : std::uint8_t {
    chunk_header,
    payload,
    payload_end,
    trailer,
    end,
    done,
    failed
  };

  bool is_signed() const { return x_hmac.has_value(); }
  std::size_t line_limit() const;
  void fail_with(ChunkError error);
  void take_line(std::string_view line);
  void take_chunk_header(std::string_view line);
  void take_trailer_line(std::string_view line);
  void finish_trailers();
  void finish_chunk(State next);
  bool trailer_signature_ok();
  bool advance_chain(std::string_view algorithm,
                     std::string_view hashes,
                     std::string_view signature);

  ChunkOptions x_options;
  std::optional<HmacKey> x_hmac;
  std::optional<Sha256> x_hash;  ///< of the current chunk
  State x_state = State::chunk_header;
  ChunkError x_error = ChunkError::none;
  std::uint64_t x_left = 0, x_object_left = 0;
  std::string x_line;  ///< the framing line so far
  std::string x_chunk_signature, x_previous_signature, x_to_sign;
  std::vector<http::Header> x_trailers;
  std::optional<std::string> x_trailer_signature;
  bool x_bare_newline = false;  ///< the last trailer line ended in LF, not CRLF
};

}  // namespace outcrop::auth
