// Segment records and shard names: any bytes are refused or survive a round trip; the geometry of
// an accepted record adds up.
#include <cstdlib>

#include "storage/segment/format.h"

using namespace outcrop;
using namespace outcrop::segment;

namespace {

void check_record(std::string_view in) {
  const auto record = decode_segment(in);
  if (!record) {
    return;
  }
  const auto again = decode_segment(encode(*record));
  if (!again || !(*again == *record)) {
    std::abort();
  }
  const std::uint64_t length = 1 + in.size() * 4096;
  const Extent extent{record->id, 0, length, 0};
  const StripeShape last = stripe_shape(*record, extent, stripe_count(*record, length) - 1);
  if (last.offset + last.chunk_bytes != run_bytes(*record, length)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  check_record(in);
  if (const auto shard = parse_shard_name(in);
      shard && parse_shard_name(shard_path(shard->first, shard->second).substr(9)) != shard) {
    std::abort();
  }
  return 0;
}
