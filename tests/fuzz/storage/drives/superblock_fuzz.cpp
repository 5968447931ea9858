// Superblock and epoch slots: any bytes are refused or survive a round trip. Once as they are, and
// once behind a right magic, version and checksum, which no fuzzer would ever guess.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "storage/digest/xxh.h"
#include "storage/drives/format.h"

using namespace outcrop;
using namespace outcrop::drives;

namespace {

constexpr std::size_t kPrefixBytes = 8 + 2;  // magic and version
constexpr std::size_t kChecksumAt = kSlotBytes - 8;

/// `body` where the fields of a slot lie, in a slot that is otherwise like `model`.
SlotBytes dressed(const SlotBytes& model, ConstBytes body) {
  SlotBytes slot = model;
  std::fill(slot.begin() + kPrefixBytes, slot.end(), std::byte{0});
  std::ranges::copy(body.first(std::min(body.size(), kChecksumAt - kPrefixBytes)),
                    slot.begin() + kPrefixBytes);
  const std::uint64_t sum = digest::xxh3_64(ConstBytes(slot).first(kChecksumAt));
  std::memcpy(slot.data() + kChecksumAt, &sum, sizeof sum);
  return slot;
}

template <class Decode>
void check(ConstBytes in, Decode decode) {
  if (const auto record = decode(in)) {
    if (const auto again = decode(encode(*record)); !again || !(*again == *record)) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SlotBytes kSuperblock = encode(Superblock{});
  static const SlotBytes kEpoch = encode(EpochRecord{});
  static const SlotBytes kEpochWithFlags =
      encode(EpochRecord{.cluster = {},
                         .epoch = 0,
                         .parity = 0,
                         .members = {{.uuid = {}, .draining = true}},
                         .mirrors = {}});
  const ConstBytes in = std::as_bytes(std::span(data, size));
  check(in, [](ConstBytes bytes) { return decode_superblock(bytes); });
  check(in, [](ConstBytes bytes) { return decode_epoch(bytes); });
  check(dressed(kSuperblock, in), [](ConstBytes bytes) { return decode_superblock(bytes); });
  check(dressed(kEpoch, in), [](ConstBytes bytes) { return decode_epoch(bytes); });
  check(dressed(kEpochWithFlags, in), [](ConstBytes bytes) { return decode_epoch(bytes); });
  return 0;
}
