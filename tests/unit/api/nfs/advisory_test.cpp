// One test for each published hole of a comparable NFS server (Chimera, by its commits): what a
// client sends before it is known to anybody. The names are the map of docs/security.md.
#include <gtest/gtest.h>

#include "api/nfs/handle.h"
#include "api/nfs/v4/attribute_set.h"
#include "api/nfs/xdr.h"

namespace outcrop::nfs {
namespace {

std::string record(std::initializer_list<std::uint32_t> words, std::size_t more = 0) {
  XdrWriter out;
  for (const std::uint32_t word : words) {
    out.u32(word);
  }
  return out.flatten() + std::string(more, 'x');
}

constexpr std::uint32_t kHuge[] = {9, 0x7fffffff, 0x80000000, 0xfffffffc, 0xfffffffd, 0xffffffff};

// a5ce28db: a length was cut to fewer bits before it was compared.
TEST(NfsAdvisory, Chimera_a5ce28db_LengthsAreComparedWhole) {
  for (const std::uint32_t length : kHuge) {
    const std::string text = record({length}, 8);
    XdrReader bounded{as_bytes(text)}, unbounded{as_bytes(text)};
    EXPECT_TRUE(bounded.opaque(8).empty()) << length;
    EXPECT_FALSE(bounded.ok()) << length;
    EXPECT_TRUE(unbounded.opaque(SIZE_MAX).empty()) << length;
    EXPECT_FALSE(unbounded.ok()) << length;
    XdrReader items{as_bytes(text)};
    EXPECT_EQ(items.count(SIZE_MAX), 0U) << length;
    EXPECT_FALSE(items.ok()) << length;
  }
}

// 97c1f471: padding and skips moved the reader backwards.
TEST(NfsAdvisory, Chimera_97c1f471_NothingIsReadTwice) {
  for (std::uint32_t length = 0; length <= 12; ++length) {
    for (std::size_t there = 0; there <= 16; ++there) {
      const std::string text = record({length}, there);
      XdrReader in{as_bytes(text)};
      in.opaque(64);
      const bool whole = there >= length + xdr_padding(length);
      EXPECT_EQ(in.ok(), whole) << length << " of " << there;
      EXPECT_EQ(in.left(), whole ? there - length - xdr_padding(length) : 0);
    }
  }
  XdrReader in{as_bytes(std::string_view("abcd"))};
  EXPECT_TRUE(in.fixed_opaque(SIZE_MAX).empty());
  EXPECT_TRUE(in.fixed_opaque(SIZE_MAX - 3).empty());
  EXPECT_FALSE(in.ok());
}

// 453b0a63: a handle of any size was copied into a fixed buffer.
TEST(NfsAdvisory, Chimera_453b0a63_HandlesHaveOneSize) {
  const HandleCodec codec(HandleKey{std::byte{1}}, 1, HandleKey{std::byte{1}});
  const HandleBytes good = codec.seal({.export_id = 7, .file = {}});
  ASSERT_TRUE(codec.open(good));
  for (std::size_t size = 0; size <= 256; ++size) {
    std::vector<std::byte> bytes(good.begin(), good.end());
    bytes.resize(size);
    EXPECT_EQ(codec.open(bytes).has_value(), size == kHandleBytes) << size;
  }
}

// c7d1b40b: a bitmap of attributes had as many words as the client said.
TEST(NfsAdvisory, Chimera_c7d1b40b_BitmapsAreBounded) {
  for (const std::uint32_t words : {65u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    const std::string text = record({words}, 64);
    XdrReader in{as_bytes(text)};
    v4::AttributeSet::read(in);
    EXPECT_FALSE(in.ok()) << words;
  }
  const std::string text = record({v4::kMaxWireBitmapWords}, v4::kMaxWireBitmapWords * 4);
  XdrReader most{as_bytes(text)};
  v4::AttributeSet::read(most);
  EXPECT_TRUE(most.done());
}

// b08757ea: names overran the place that was kept for them.
TEST(NfsAdvisory, Chimera_b08757ea_NamesAreBounded) {
  for (const std::size_t size : {std::size_t{255}, std::size_t{256}, std::size_t{65536}}) {
    const std::string text = record({static_cast<std::uint32_t>(size)}, size + xdr_padding(size));
    XdrReader in{as_bytes(text)};
    EXPECT_EQ(in.string(255).size(), size <= 255 ? size : 0);
    EXPECT_EQ(in.ok(), size <= 255);
  }
}

}  // namespace
}  // namespace outcrop::nfs
