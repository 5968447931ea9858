#include <random>

#include "tests/unit/storage/meta/rig.h"

namespace outcrop::meta {
namespace {

TEST(MetaStore, StartsEmptyAndKeepsWhatIsCommitted) {
  io::SimWorld world(3);
  format(world, 1);
  {
    Process p(world);
    ASSERT_TRUE(p.store) << p.error->describe();
    EXPECT_TRUE(p.all().empty());
    ASSERT_TRUE(p.put("ba", "1"));
    ASSERT_TRUE(p.put("bb", "2"));
    EXPECT_EQ(p.get("ba"), "1");
    EXPECT_EQ(p.get("bc"), std::nullopt);
    ASSERT_TRUE(p.close());
  }
  Process p(world);
  ASSERT_TRUE(p.store) << p.error->describe();
  EXPECT_EQ(p.get("ba"), "1");
  EXPECT_EQ(p.all().size(), 2U);
}

TEST(MetaStore, MatchesAMapUnderRandomWork) {
  io::SimWorld world(4);
  format(world, 2);
  std::mt19937_64 rng(42);
  std::map<std::string, std::string> model;
  for (unsigned round = 0; round < 4; ++round) {
    Process p(world);
    ASSERT_TRUE(p.store) << p.error->describe();
    ASSERT_EQ(p.all(), model);
    for (unsigned i = 0; i < 300; ++i) {
      Batch b;
      for (unsigned n = rng() % 4 + 1; n > 0; --n) {
        std::string key = "d" + std::to_string(rng() % 200);
        if (rng() % 4 == 0) {
          b.erase(key);
          model.erase(key);
        } else {
          std::string value(rng() % 600, static_cast<char>('a' + rng() % 26));
          model[key] = value;
          b.put(key, value);
        }
      }
      ASSERT_TRUE(p.commit(std::move(b)));
    }
    ASSERT_EQ(p.all(), model);
    if (round % 2 == 0) {
      ASSERT_TRUE(run_on(p.io, p.store->checkpoint()));
    }
    ASSERT_TRUE(p.close());
  }
}

TEST(MetaStore, SnapshotsStandStill) {
  io::SimWorld world(2);
  format(world, 1);
  Process p(world);
  ASSERT_TRUE(p.put("ba", "old"));
  const SnapshotPtr before = p.store->snapshot();
  ASSERT_TRUE(p.put("ba", "new"));
  ASSERT_TRUE(p.put("bb", "new"));
  EXPECT_EQ(*run_on(p.io, p.store->get("ba", before)), "old");
  const auto page = run_on(p.io, p.store->scan({.lower = "b", .upper = "c"}, before));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(p.get("ba"), "new");
}

TEST(MetaStore, ScanStopsAtItsLimits) {
  io::SimWorld world(1);
  format(world, 0);
  Process p(world);
  for (char c = 'a'; c <= 'j'; ++c) {
    ASSERT_TRUE(p.put(std::string("b") + c, std::string(100, c)));
  }
  auto page = *run_on(p.io, p.store->scan({.lower = "bb", .upper = "bg", .limit = 3}));
  EXPECT_EQ(page.entries.size(), 3U);
  EXPECT_EQ(page.entries.front().key, "bb");
  EXPECT_TRUE(page.more);
  page = *run_on(p.io, p.store->scan({.lower = "bb", .upper = "bg", .limit = 5, .keys_only = true}));
  EXPECT_EQ(page.entries.size(), 5U);
  EXPECT_FALSE(page.more);
  EXPECT_TRUE(page.entries.front().value.empty());
  page = *run_on(p.io, p.store->scan({.lower = "bb", .max_bytes = 150}));
  EXPECT_EQ(page.entries.size(), 2U);
  EXPECT_TRUE(page.more);
}

TEST(MetaStore, LimitsOfATransaction) {
  io::SimWorld world(1);
  format(world, 0);
  Process p(world);
  EXPECT_FALSE(p.put("ba", std::string(kMaxValueBytes + 1, 'x')));
  EXPECT_EQ(p.put("ba", std::string(kMaxValueBytes, 'x')).error().code(), Errc::entity_too_large)
      << "does not fit the 64 KiB journal files of this test";
  EXPECT_TRUE(p.put("ba", std::string(50000, 'x')));
}

TEST(MetaStore, JournalWrapsManyTimes) {
  io::SimWorld world(2);
  format(world, 1);
  Process p(world);
  for (unsigned i = 0; i < 1500; ++i) {
    ASSERT_TRUE(p.put("d" + std::to_string(i % 50), std::string(3000, 'x') + std::to_string(i)));
    p.settle();
  }
  EXPECT_GT(p.store->stats().checkpoints, 10U);
  const auto names = p.drives->disk(0)->list("journal");
  EXPECT_LT(names->size(), 12U) << "files are used again";
  EXPECT_EQ(p.get("d49"), std::string(3000, 'x') + "1499");
}

TEST(MetaStore, ALostMetadataDirectoryIsNotReplacedByAnEmptyOne) {
  io::SimWorld world(1);
  format(world, 0);
  {
    Process p(world);
    ASSERT_TRUE(p.put("ba", "1"));
    ASSERT_TRUE(p.close());
  }
  ASSERT_TRUE((*world.open_disk(0))->remove_tree("meta"));
  Process p(world);
  ASSERT_FALSE(p.store);
  EXPECT_EQ(p.error->code(), Errc::unavailable);
}

TEST(MetaStore, ConcurrentCommitsShareBlocks) {
  io::SimWorld world(3);
  format(world, 1);
  Process p(world);
  unsigned done = 0;
  for (unsigned i = 0; i < 200; ++i) {
    Batch b;
    b.put("d" + std::to_string(i), "v");
    asio::co_spawn(p.io.get_executor(), p.store->commit(std::move(b)),
                   [&done](std::exception_ptr, Result<void> r) { done += r.has_value(); });
  }
  p.io.restart();
  while (done < 200 && p.io.run_one() > 0) {
  }
  EXPECT_EQ(p.all().size(), 200U);
  EXPECT_LT(p.store->stats().blocks, 10U);
}

}  // namespace
}  // namespace outcrop::meta
