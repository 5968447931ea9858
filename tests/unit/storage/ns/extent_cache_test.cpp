// The cache of read units: right bytes for any range, one fetch for many readers, bounded.
#include <gtest/gtest.h>

#include "storage/ns/extent_cache.h"
#include "tests/support/mem_blob_store.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

using test::MemBlobStore;
using test::MemMetaStore;

struct ExtentCacheTest : testing::Test {
  asio::io_context io{1};
  MemMetaStore meta;
  MemBlobStore blobs{meta, 1 << 20};
  ExtentCache cache{blobs, 16 << 20};
  std::string content;
  segment::PinPtr pin;

  Extent store(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      content.push_back(static_cast<char>(i * 31 % 251));
    }
    return *run_on(io, [](MemBlobStore& b, std::string_view data) -> Task<Extent> {
      CO_TRY(auto writer, co_await b.open_writer(0, segment::Purpose::client));
      while (!data.empty()) {
        CO_TRY(const MutBytes room, co_await writer->buffer());
        const std::size_t n = std::min(room.size(), data.size());
        std::memcpy(room.data(), data.data(), n);
        CO_TRYV(co_await writer->advance(n));
        data.remove_prefix(n);
      }
      CO_TRY(const auto extents, co_await writer->finish());
      co_return extents.at(0);
    }(blobs, content));
  }
  std::string read(const Extent& e, std::uint64_t offset, std::uint64_t n, ReadAhead ahead = {}) {
    std::string out;
    for (const Buffer& b : run_on(io, cache.read(e, offset, n, ahead)).value()) {
      out.append(as_text(b.view()));
    }
    return out;
  }
};

TEST_F(ExtentCacheTest, AnyRange) {
  const Extent e = store(300'000);
  SeededRandom random(3);
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t offset = random.next() % content.size();
    const std::uint64_t n =
        1 + random.next() % std::min<std::uint64_t>(content.size() - offset, 50'000);
    const auto ahead = random.next() % 2 == 0 ? ReadAhead::none : ReadAhead::stripe;
    ASSERT_EQ(read(e, offset, n, ahead), content.substr(offset, n)) << offset << "+" << n;
  }
  EXPECT_EQ(read(e, content.size(), 0), "");
  EXPECT_EQ(run_on(io, cache.read(e, 1, content.size())).error().code(), Errc::corrupt);
}

TEST_F(ExtentCacheTest, UnitsThatAreCutAreReadOnce) {
  const Extent e = store(300'000);
  for (std::uint64_t at = 0; at < 10'000; at += 1000) {
    read(e, at, 1000);
  }
  EXPECT_EQ(blobs.reads(), 1U);
  // In sequence, a stripe at a time.
  for (std::uint64_t at = 40'000; at < 120'000; at += 5000) {
    read(e, at, 5000, ReadAhead::stripe);
  }
  EXPECT_EQ(blobs.reads(), 3U);
}

TEST_F(ExtentCacheTest, ReadersOfOneUnitShareItsFetch) {
  const Extent e = store(300'000);
  int done = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    asio::co_spawn(io, cache.read(e, i * 100, 50),
                   [&, i](std::exception_ptr, Result<std::vector<Buffer>> r) {
                     ASSERT_TRUE(r);
                     EXPECT_EQ(as_text(r->at(0).view()), content.substr(i * 100, 50));
                     ++done;
                   });
  }
  io.restart();
  io.run();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(blobs.reads(), 1U);
}

TEST_F(ExtentCacheTest, FailedFetchesLeaveNothingBehind) {
  Extent e = store(300'000);
  e.stamp ^= 1;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run_on(io, cache.read(e, 5, 5)).error().code(), Errc::corrupt);
  }
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST_F(ExtentCacheTest, Bounded) {
  ExtentCache small(blobs, 1 << 20);
  const Extent e = store(900'000);
  for (std::uint64_t at = 0; at + 100 < content.size(); at += 3000) {
    ASSERT_TRUE(run_on(io, small.read(e, at, 100)));
    EXPECT_LE(small.bytes(), 1U << 20);
  }
  EXPECT_GT(small.bytes(), 1U << 18);
}

TEST(SequenceDetector, FollowsRequestsThatOvertakeEachOther) {
  SequenceDetector detector;
  EXPECT_TRUE(detector.sequential(5, 0, 1 << 20));
  EXPECT_TRUE(detector.sequential(5, 2 << 20, 1 << 20));
  EXPECT_TRUE(detector.sequential(5, 1 << 20, 1 << 20));
  EXPECT_FALSE(detector.sequential(5, 100 << 20, 4096));
  EXPECT_FALSE(detector.sequential(5, 50 << 20, 4096));
  EXPECT_TRUE(detector.sequential(5, (50 << 20) + 4096, 4096));
  EXPECT_FALSE(detector.sequential(6, (50 << 20) + 8192, 4096));
}

}  // namespace
}  // namespace outcrop::ns
