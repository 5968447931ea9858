#include "auth/chunked_body_reader.h"

#include <algorithm>
#include <cstring>

namespace outcrop::auth {

Error ChunkedBodyReader::failure() const {
  const ChunkError reason = x_decoder.error();
  const Errc code =
      reason == ChunkError::signature_mismatch ? Errc::access_denied : Errc::invalid_argument;
  return Error(code, "aws-chunked body: " + std::string(to_string(reason)));
}

Task<> ChunkedBodyReader::take_framing() {
  if (x_begin == x_end) {
    const MutBytes buffer(x_buffer);
    CO_TRY(const std::size_t size, co_await x_inner.read_some(buffer));
    x_begin = 0;
    x_end = size;
    if (size == 0) {
      x_decoder.end_of_input();
      co_return ok();
    }
  }
  const ConstBytes bytes = ConstBytes(x_buffer).subspan(x_begin, x_end - x_begin);
  x_begin += x_decoder.framing(bytes);
  co_return ok();
}

Task<std::size_t> ChunkedBodyReader::take_payload(MutBytes out) {
  const std::uint64_t limit = std::min<std::uint64_t>(out.size(), x_decoder.payload_left());
  std::size_t size = std::min<std::size_t>(limit, x_end - x_begin);
  if (size > 0) {
    std::memcpy(out.data(), x_buffer.data() + x_begin, size);
    x_begin += size;
  } else {
    const MutBytes part = out.first(limit);
    CO_TRY(size, co_await x_inner.read_some(part));
  }
  if (size == 0) {
    x_decoder.end_of_input();
  } else {
    x_decoder.payload(out.first(size));
  }
  co_return size;
}

Task<std::size_t> ChunkedBodyReader::read_some(MutBytes out) {
  if (out.empty()) {
    co_return fail(Errc::internal, "a read into no buffer");
  }
  std::size_t delivered = 0;
  for (;;) {
    const ChunkDecoder::Need need = x_decoder.need();
    if (need == ChunkDecoder::Need::failed) {
      co_return fail(failure());
    }
    if (need == ChunkDecoder::Need::nothing || (delivered > 0 && x_decoder.object_left() > 0)) {
      co_return delivered;
    }
    if (need == ChunkDecoder::Need::payload) {
      CO_TRY(delivered, co_await take_payload(out));
    } else {
      CO_TRYV(co_await take_framing());
    }
  }
}

}  // namespace outcrop::auth
