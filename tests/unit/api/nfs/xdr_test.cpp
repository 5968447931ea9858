// XDR: padding, limits, sticky failure, shares of the record, spliced payloads.
#include "api/nfs/xdr.h"

#include <gtest/gtest.h>

namespace outcrop::nfs {
namespace {

Buffer record(std::string_view text) { return Buffer::copy_of(as_bytes(text)); }

TEST(XdrReader, IntegersAreBigEndian) {
  XdrReader in(record(std::string("\0\0\1\2\0\0\0\0\0\0\0\7\xff\xff\xff\xff\xff\xff\xff\xfe", 20)));
  EXPECT_EQ(in.u32(), 0x102u);
  EXPECT_EQ(in.u64(), 7u);
  EXPECT_EQ(in.i64(), -2);
  EXPECT_TRUE(in.done());
}

TEST(XdrReader, OpaqueAtItsLimitAndOnePast) {
  XdrWriter out;
  out.string("12345");
  const std::string bytes = out.flatten();
  EXPECT_EQ(bytes.size(), 12u);
  XdrReader fits(as_bytes(bytes));
  EXPECT_EQ(fits.string(5), "12345");
  EXPECT_TRUE(fits.done());
  XdrReader too_long(as_bytes(bytes));
  EXPECT_EQ(too_long.string(4), "");
  EXPECT_FALSE(too_long.ok());
}

TEST(XdrReader, FailureSticks) {
  XdrReader in(record(std::string("\0\0\0\2\0\0\0\1\0\0\0\1", 12)));
  in.boolean();
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_EQ(in.left(), 0u);
  EXPECT_FALSE(in.done());
}

TEST(XdrReader, PaddingMustBeThere) {
  XdrReader in(record(std::string("\0\0\0\1x\0\0", 7)));
  EXPECT_EQ(in.opaque(8).size(), 1u);
  EXPECT_FALSE(in.ok());
}

TEST(XdrReader, CountsAreCheckedAgainstWhatIsLeft) {
  const auto count = [](std::string_view bytes, std::size_t max, std::size_t item) {
    XdrReader in(as_bytes(bytes));
    const std::size_t n = in.count(max, item);
    return in.ok() ? static_cast<int>(n) : -1;
  };
  const std::string two = std::string("\0\0\0\2", 4) + std::string(8, '\0');
  EXPECT_EQ(count(two, 2, 4), 2);
  EXPECT_EQ(count(two, 1, 4), -1);
  EXPECT_EQ(count(two, 2, 5), -1);
  EXPECT_EQ(count(std::string("\xff\xff\xff\xff", 4), SIZE_MAX, 4), -1);
}

TEST(XdrReader, PayloadSharesTheRecord) {
  XdrWriter out;
  out.u32(1);
  out.string("payload");
  const std::string bytes = out.flatten();
  const Buffer whole = record(bytes);
  XdrReader in(whole);
  in.u32();
  const Buffer share = in.payload(7);
  EXPECT_EQ(as_text(share.view()), "payload");
  EXPECT_EQ(share.data(), whole.data() + 8);
  EXPECT_TRUE(in.done());
  XdrReader borrowed(as_bytes(bytes));
  borrowed.u32();
  EXPECT_NE(static_cast<const void*>(borrowed.payload(7).data()),
            static_cast<const void*>(bytes.data() + 8));
}

TEST(XdrWriter, SplicesKeepTheirPlaceAndTheirMemory) {
  const Buffer a = record("aaaaa"), b = record("bb");
  XdrWriter out;
  out.u32(1);
  out.payload({a, b});
  out.u32(2);
  std::vector<iovec> parts;
  out.append_iovecs(parts);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[1].iov_base, a.data());
  EXPECT_EQ(parts[2].iov_base, b.data());
  EXPECT_EQ(out.flatten(), std::string("\0\0\0\1\0\0\0\7aaaaabb\0\0\0\0\2", 20));
  EXPECT_EQ(out.size(), 20u);
}

TEST(XdrWriter, AppendMovesTextAndSplices) {
  XdrWriter head, tail;
  head.u32(1);
  tail.u32(2);
  tail.payload({record("abcd")});
  head.append(std::move(tail));
  EXPECT_EQ(head.flatten(), std::string("\0\0\0\1\0\0\0\2\0\0\0\4abcd", 16));
  EXPECT_EQ(tail.size(), 0u);  // NOLINT(bugprone-use-after-move): append leaves it empty
}

TEST(XdrWriter, RewindDropsWhatCameAfterTheMark) {
  XdrWriter out;
  const XdrWriter::Mark length = out.mark();
  out.u32(0);
  const XdrWriter::Mark here = out.mark();
  out.payload({record("abcd")});
  out.u32(9);
  out.rewind(here);
  out.patch_u32(length, 77);
  EXPECT_EQ(out.flatten(), std::string("\0\0\0\x4d", 4));
  EXPECT_EQ(out.size(), 4u);
}

}  // namespace
}  // namespace outcrop::nfs
