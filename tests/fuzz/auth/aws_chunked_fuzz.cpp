// The chunk decoder on arbitrary bodies: how the input is split must not matter, a complete body
// has exactly the announced length, and a signed form accepts nothing the fuzzer can make.
// Input: form, announced length (2 bytes), split seed, then the body.
#include <cstdint>
#include <string>

#include "auth/aws_chunked.h"
#include "storage/base/assert.h"

namespace {

using namespace outcrop;

struct Outcome {
  std::string payload;
  auth::ChunkError error = auth::ChunkError::none;
  bool complete = false;
  std::size_t trailers = 0;
  bool operator==(const Outcome&) const = default;
};

auth::ChunkOptions options_from(std::uint8_t form, std::uint64_t length) {
  auth::ChunkOptions options;
  options.decoded_length = length;
  if (form % 4 == 1) {
    options.form = auth::PayloadForm::streaming_signed;
  } else if (form % 4 == 2) {
    options.form = auth::PayloadForm::streaming_signed_trailer;
  }
  if (options.form != auth::PayloadForm::streaming_unsigned_trailer) {
    options.signing.emplace();
    options.signing->signing_key.fill(0x5a);
    options.signing->seed_signature = std::string(64, '0');
  }
  if (form & 8) {
    options.trailer_names = {"x-amz-checksum-crc32"};
  }
  return options;
}

/// seed 0: all at once; else in pieces whose sizes follow from the seed.
Outcome decode(const auth::ChunkOptions& options, ConstBytes body, std::uint32_t seed) {
  auth::ChunkDecoder decoder(options);
  Outcome outcome;
  while (!body.empty()) {
    std::size_t step = body.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      step = std::min<std::size_t>(step, 1 + (seed >> 24) % 37);
    }
    decoder.push(body.first(step), [&](ConstBytes run) { outcome.payload += as_text(run); });
    body = body.subspan(step);
  }
  decoder.end_of_input();
  outcome.error = decoder.error();
  outcome.complete = decoder.need() == auth::ChunkDecoder::Need::nothing;
  outcome.trailers = decoder.trailers().size();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  const std::uint64_t length = data[1] | data[2] << 8;
  const auth::ChunkOptions options = options_from(data[0], length);
  const ConstBytes body(reinterpret_cast<const std::byte*>(data + 4), size - 4);
  const Outcome whole = decode(options, body, 0);
  OUTCROP_ASSERT(whole == decode(options, body, data[3] | 1U));
  OUTCROP_ASSERT(whole == decode(options, body, data[3] * 7919U + 3));
  OUTCROP_ASSERT(whole.complete == (whole.error == auth::ChunkError::none));
  OUTCROP_ASSERT(whole.payload.size() <= length);
  if (whole.complete) {
    OUTCROP_ASSERT(whole.payload.size() == length && !options.signing);
    OUTCROP_ASSERT(whole.trailers == options.trailer_names.size());
  }
  return 0;
}
