// The cache of small payloads: right bytes, a bound in bytes, and scans that push nothing out.
#include "storage/segment/payload_cache.h"

#include <gtest/gtest.h>

#include <thread>

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

Extent extent(std::uint64_t n, std::uint64_t length = 4000) {
  return {.segment = 7 + n / 1000, .offset = n % 1000 * 4096, .length = length, .stamp = n * 31};
}

ByteVector bytes_of(const Extent& e) {
  return ByteVector(e.length, static_cast<std::byte>(e.stamp % 251));
}

void add(PayloadCache& cache, const Extent& e) { cache.add(e, bytes_of(e)); }

bool holds(PayloadCache& cache, const Extent& e) {
  const Buffer found = cache.find(e);
  EXPECT_TRUE(!found || std::ranges::equal(found.view(), bytes_of(e)));
  return static_cast<bool>(found);
}

TEST(PayloadCache, GivesBackWhatWasAdded) {
  PayloadCache cache(kMiB);
  EXPECT_FALSE(holds(cache, extent(1)));
  add(cache, extent(1));
  add(cache, extent(2, 1));
  EXPECT_TRUE(holds(cache, extent(1)));
  EXPECT_TRUE(holds(cache, extent(2, 1)));
  EXPECT_EQ(cache.counts().hits, 2U);
  EXPECT_EQ(cache.counts().misses, 1U);
}

TEST(PayloadCache, AnExtentIsKnownByAllOfItsIdentity) {
  PayloadCache cache(kMiB);
  const Extent e = extent(1);
  add(cache, e);
  for (const Extent& other : {Extent{e.segment + 1, e.offset, e.length, e.stamp},
                              Extent{e.segment, e.offset + 64, e.length, e.stamp},
                              Extent{e.segment, e.offset, e.length - 1, e.stamp},
                              Extent{e.segment, e.offset, e.length, e.stamp + 1}}) {
    EXPECT_FALSE(cache.find(other));
  }
}

TEST(PayloadCache, StaysWithinItsBytes) {
  PayloadCache cache(kMiB);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    add(cache, extent(i));
    if (i % 3 == 0) {
      EXPECT_TRUE(holds(cache, extent(i)));
    }
    EXPECT_LE(cache.counts().bytes, kMiB);
  }
  EXPECT_GT(cache.counts().bytes, kMiB / 2);
}

TEST(PayloadCache, LargePayloadsAndASecondCopyAreNotKept) {
  PayloadCache cache(kMiB);  // shards of 64 KiB
  add(cache, extent(1, 32 << 10));
  EXPECT_FALSE(cache.find(extent(1, 32 << 10)));
  add(cache, extent(2));
  const std::uint64_t once = cache.counts().bytes;
  add(cache, extent(2));
  EXPECT_EQ(cache.counts().bytes, once);
  PayloadCache none(0);
  add(none, extent(3, 1));
  EXPECT_FALSE(none.find(extent(3, 1)));
}

TEST(PayloadCache, AScanDoesNotPushOutWhatIsInUse) {
  PayloadCache cache(kMiB);
  for (std::uint64_t i = 0; i < 20; ++i) {
    add(cache, extent(i));
    EXPECT_TRUE(holds(cache, extent(i)));
  }
  for (std::uint64_t i = 1000; i < 4000; ++i) {
    add(cache, extent(i));
  }
  for (std::uint64_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(holds(cache, extent(i))) << i;
  }
}

TEST(PayloadCache, WhatIsInUseNowReplacesWhatWas) {
  PayloadCache cache(kMiB);
  for (std::uint64_t i = 0; i < 400; ++i) {  // more than fits
    add(cache, extent(i));
    EXPECT_TRUE(holds(cache, extent(i)));
  }
  unsigned kept = 0;
  for (std::uint64_t i = 300; i < 400; ++i) {
    kept += holds(cache, extent(i)) ? 1 : 0;
  }
  EXPECT_GE(kept, 90U);
}

TEST(PayloadCache, APayloadOutlivesItsPlace) {
  PayloadCache cache(kMiB);
  add(cache, extent(1));
  const Buffer held = cache.find(extent(1));
  for (std::uint64_t i = 1000; i < 4000; ++i) {
    add(cache, extent(i));
    EXPECT_TRUE(holds(cache, extent(i)));
  }
  EXPECT_FALSE(cache.find(extent(1)));
  EXPECT_TRUE(std::ranges::equal(held.view(), bytes_of(extent(1))));
}

TEST(PayloadCache, ManyThreads) {
  PayloadCache cache(kMiB);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (std::uint64_t i = 0; i < 3000; ++i) {
        const Extent e = extent((i * 7 + t) % 500);
        if (!holds(cache, e)) {
          add(cache, e);
        }
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  EXPECT_LE(cache.counts().bytes, kMiB);
  EXPECT_EQ(cache.counts().hits + cache.counts().misses, 4U * 3000U);
}

}  // namespace
}  // namespace outcrop::segment
