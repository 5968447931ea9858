// Superblock and epoch slots: any bytes are refused or survive a round trip.
#include <cstdlib>

#include "storage/drives/format.h"

using namespace outcrop::drives;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const outcrop::ConstBytes in = std::as_bytes(std::span(data, size));
  if (const auto superblock = decode_superblock(in)) {
    if (decode_superblock(encode(*superblock)) != *superblock) {
      std::abort();
    }
  }
  if (const auto record = decode_epoch(in)) {
    if (decode_epoch(encode(*record)) != *record) {
      std::abort();
    }
  }
  return 0;
}
