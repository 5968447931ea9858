// Handles: what was sealed opens, nothing else does.
#include "api/nfs/handle.h"

#include <gtest/gtest.h>

#include "storage/base/random.h"

namespace outcrop::nfs {
namespace {

HandleKey key(std::uint8_t seed) {
  HandleKey k{};
  SeededRandom(seed).fill(k);
  return k;
}

const Handle kHandle{.export_id = 3, .file = {.root = 17, .ino = 0x0102030405060708}};

TEST(Handle, RoundTrip) {
  const HandleCodec codec(key(1), 5, key(2));
  const HandleBytes sealed = codec.seal(kHandle);
  EXPECT_EQ(codec.open(sealed), kHandle);
  EXPECT_EQ(sealed[0], std::byte{5});
  EXPECT_FALSE(kHandle.pseudo());
  EXPECT_TRUE((Handle{.export_id = 0, .file = {.root = 0, .ino = 2}}).pseudo());
}

TEST(Handle, MacIsSipHash24Of128Bits) {
  // From an implementation of the published algorithm that gives its published vectors.
  HandleKey reference{};
  for (std::size_t i = 0; i < reference.size(); ++i) {
    reference[i] = static_cast<std::byte>(i);
  }
  const HandleCodec codec(reference, 1, reference);
  const HandleBytes sealed = codec.seal(kHandle);
  std::string hex;
  for (const std::byte b : ConstBytes(sealed).subspan(20)) {
    constexpr std::string_view kHex = "0123456789abcdef";
    hex.push_back(kHex[static_cast<unsigned>(b) >> 4]);
    hex.push_back(kHex[static_cast<unsigned>(b) & 15]);
  }
  EXPECT_EQ(hex, "70e7c7f092b3353ebb758db1");
}

TEST(Handle, OtherLengthsDoNotOpen) {
  const HandleCodec codec(key(1), 1, key(1));
  const HandleBytes sealed = codec.seal(kHandle);
  ByteVector longer(sealed.begin(), sealed.end());
  longer.push_back(std::byte{0});
  EXPECT_FALSE(codec.open(ConstBytes(sealed).first(31)));
  EXPECT_FALSE(codec.open(longer));
  EXPECT_FALSE(codec.open({}));
}

TEST(Handle, RotationKeepsOneOldKey) {
  const HandleCodec first(key(1), 1, key(1));
  const HandleCodec second(key(2), 2, key(1));
  const HandleCodec third(key(3), 3, key(2));
  const HandleBytes sealed = first.seal(kHandle);
  EXPECT_EQ(second.open(sealed), kHandle);
  EXPECT_FALSE(third.open(sealed));
  EXPECT_EQ(second.open(second.seal(kHandle)), kHandle);
  EXPECT_FALSE(first.open(second.seal(kHandle)));
  // The number of a key wraps around.
  const HandleCodec last(key(4), 255, key(4));
  EXPECT_EQ(HandleCodec(key(5), 0, key(4)).open(last.seal(kHandle)), kHandle);
}

TEST(Handle, KeysChangeWhileItIsUsed) {
  HandleCodec codec(key(1), 1, key(1));
  const HandleBytes first = codec.seal(kHandle);
  codec.use({key(2), 2, key(1)});
  EXPECT_EQ(codec.open(first), kHandle);
  const HandleBytes second = codec.seal(kHandle);
  EXPECT_NE(second, first);
  codec.use({key(3), 3, key(2)});
  EXPECT_FALSE(codec.open(first));
  EXPECT_EQ(codec.open(second), kHandle);
}

TEST(Handle, WithoutAPreviousKeyOnlyTheCurrentNumberOpens) {
  const HandleCodec old(key(1), 1, key(1));
  const HandleCodec now(key(1), 2, key(1));
  EXPECT_FALSE(now.open(old.seal(kHandle)));
}

TEST(Handle, HundredThousandForgeriesAllFail) {
  const HandleCodec codec(key(1), 7, key(2));
  SeededRandom random(42);
  unsigned accepted = 0;
  for (unsigned i = 0; i < 100'000; ++i) {
    const Handle real{.export_id = static_cast<ExportId>(random.next()),
                      .file = {.root = random.next(), .ino = random.next()}};
    HandleBytes bytes = codec.seal(real);
    switch (i % 4) {
      case 0:  // one bit
        bytes[random.next() % bytes.size()] ^= static_cast<std::byte>(1u << (random.next() % 8));
        break;
      case 1:  // another inode under the old MAC
        bytes[12 + random.next() % 8] ^= static_cast<std::byte>(1 + random.next() % 255);
        break;
      case 2:  // another export under the old MAC
        bytes[3] ^= static_cast<std::byte>(1 + random.next() % 255);
        break;
      default:  // all made up, with a key number that exists
        random.fill(bytes);
        bytes[0] = static_cast<std::byte>(6 + random.next() % 2);
        bytes[1] = std::byte{0};
    }
    accepted += codec.open(bytes) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 0u);
}

}  // namespace
}  // namespace outcrop::nfs
