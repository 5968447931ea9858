// Superblock and epoch slots: any bytes are refused or survive a round trip.
#include <cstdlib>

#include "storage/drives/format.h"

using namespace outcrop::drives;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const outcrop::ConstBytes in = std::as_bytes(std::span(data, size));
  if (const auto superblock = decode_superblock(in)) {
    if (const auto again = decode_superblock(encode(*superblock));
        !again || !(*again == *superblock)) {
      std::abort();
    }
  }
  if (const auto record = decode_epoch(in)) {
    if (const auto again = decode_epoch(encode(*record)); !again || !(*again == *record)) {
      std::abort();
    }
  }
  return 0;
}
