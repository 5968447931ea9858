// Chunked bodies: the payload and the verdict do not depend on how the bytes were split.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/chunked.h"

using namespace outcrop;

namespace {

struct Outcome {
  std::string payload;
  std::size_t used = 0;
  bool done = false, refused = false;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view in, std::size_t step) {
  server::ChunkedDecoder d;
  Outcome out;
  while (!in.empty() && !d.done()) {
    std::string_view piece = in.substr(0, step);
    in.remove_prefix(piece.size());
    while (!piece.empty() && !d.done()) {
      const std::size_t payload = std::min<std::uint64_t>(d.payload_left(), piece.size());
      out.payload.append(piece.substr(0, payload));
      d.took(payload);
      piece.remove_prefix(payload);
      out.used += payload;
      const Result<std::size_t> n = d.eat(piece);
      if (!n) {
        out.refused = true;
        out.used = 0;
        return out;
      }
      piece.remove_prefix(*n);
      out.used += *n;
    }
  }
  out.done = d.done();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const Outcome whole = decode(all, size + 1);
  for (const std::size_t step : {1, 2, 7}) {
    if (decode(all, step) != whole) {
      std::abort();
    }
  }
  return 0;
}
