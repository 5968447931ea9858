#include <gtest/gtest.h>

#include "storage/ns/guarded_cache.h"

namespace outcrop::ns {
namespace {

using Cache = GuardedCache<int>;

TEST(GuardedCache, FillsAndEvicts) {
  Cache cache(64 * 4096);
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = std::to_string(i);
    cache.fill(key, cache.begin(key), i, 0);
    EXPECT_EQ(cache.lookup(key), i);
  }
  int kept = 0;
  for (int i = 0; i < 10'000; ++i) {
    kept += cache.lookup(std::to_string(i)).has_value();
  }
  EXPECT_GT(kept, 100);
  EXPECT_LT(kept, 3000);
}

TEST(GuardedCache, ABlockEmptiesAndKeepsOutFillsUntilItEnds) {
  Cache cache(1 << 20);
  const auto before = cache.begin("k");
  cache.fill("k", before, 1, 0);
  {
    const Cache::Block block(cache, "k");
    EXPECT_FALSE(cache.lookup("k"));
    EXPECT_FALSE(cache.begin("k").usable);
    cache.fill("k", before, 1, 0);
    cache.fill("k", cache.begin("k"), 1, 0);
    EXPECT_FALSE(cache.lookup("k"));
    EXPECT_FALSE(cache.unchanged("k", before));
  }
  cache.fill("k", before, 1, 0);  // read before the write: stale
  EXPECT_FALSE(cache.lookup("k"));
  cache.fill("k", cache.begin("k"), 2, 0);
  EXPECT_EQ(cache.lookup("k"), 2);
}

TEST(GuardedCache, AnotherGenerationDoesNotCount) {
  Cache cache(1 << 20);
  Generations generations;
  const auto first = generations.current(7);
  ASSERT_TRUE(first);
  cache.fill("k", cache.begin("k"), 1, 0, *first);
  EXPECT_EQ(cache.lookup("k", *first), 1);
  {
    const Generations::Window window(generations, 7);
    EXPECT_FALSE(generations.current(7));
  }
  const auto second = generations.current(7);
  ASSERT_TRUE(second);
  EXPECT_NE(*first, *second);
  EXPECT_FALSE(cache.lookup("k", *second));
}

TEST(GuardedCache, ValuesTooLargeForAShardAreNotKept) {
  Cache cache(64 * 1000);
  cache.fill("k", cache.begin("k"), 1, 5000);
  EXPECT_FALSE(cache.lookup("k"));
}

}  // namespace
}  // namespace outcrop::ns
