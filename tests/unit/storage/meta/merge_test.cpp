// Merged updates have the effect of the single ones; followers that got nothing yet lose nothing.
#include <random>

#include "storage/meta/rocks_index.h"
#include "tests/unit/storage/meta/rig.h"

namespace outcrop::meta {
namespace {

using Contents = std::map<std::string, std::string>;

class Merge : public ::testing::Test {
 protected:
  Merge() : x_world(1) { x_disks = x_world.open_disks(); }

  Contents after(const std::vector<Updates>& sequence) {
    const std::string dir = "index" + std::to_string(x_next++);
    EXPECT_TRUE(x_disks[0]->make_dir(dir));
    IndexOptions options;
    options.cache = std::make_shared<IndexCache>(1 << 20);
    options.memtable_bytes = 1 << 20;
    auto index = RocksIndex::open(*x_disks[0], dir, options, true);
    EXPECT_TRUE(index) << index.error().describe();
    for (const Updates& updates : sequence) {
      EXPECT_TRUE((*index)->apply(*updates, true));
    }
    ScanRequest everything;
    everything.limit = 100'000;
    ScanPage page;
    EXPECT_TRUE((*index)->scan(everything, Tier::drive, nullptr, page));
    Contents out;
    for (KeyValue& e : page.entries) {
      out.emplace(std::move(e.key), std::move(e.value));
    }
    return out;
  }

 private:
  io::SimWorld x_world;
  std::vector<std::unique_ptr<io::Disk>> x_disks;
  unsigned x_next = 0;
};

TEST_F(Merge, TheLastUpdateOfAKeyCounts) {
  std::vector<Updates> sequence;
  const auto add = [&](auto... steps) {
    IndexBatch batch;
    (steps(batch), ...);
    sequence.push_back(std::make_shared<const std::string>(std::move(batch).take()));
  };
  const auto put = [](std::string key, std::string value) {
    return [=](IndexBatch& b) { b.put(key, value); };
  };
  const auto erase = [](std::string key) { return [=](IndexBatch& b) { b.erase(key); }; };
  add(put("b", "1"), put("a", "1"), put("c", "1"));
  add(erase("a"), put("b", "2"), put("b", "3"));
  add(put("a", "4"), erase("c"), erase("never"));
  EXPECT_EQ(after({merge(sequence)}), (Contents{{"a", "4"}, {"b", "3"}}));
  sequence.resize(2);
  EXPECT_EQ(after({merge(sequence)}), (Contents{{"b", "3"}, {"c", "1"}}));
  EXPECT_EQ(after({merge({})}), Contents{});
}

TEST_F(Merge, AnySequenceOfBatches) {
  std::mt19937_64 random(11);
  std::vector<Updates> sequence;
  for (unsigned i = 0; i < 200; ++i) {
    IndexBatch batch;
    for (std::uint64_t n = random() % 20; n > 0; --n) {
      std::string key = "k";
      put_be64(key, random() % 300);
      if (random() % 3 == 0) {
        batch.erase(key);
      } else {
        batch.put(key, std::string(random() % 50, 'v') + std::to_string(i));
      }
    }
    sequence.push_back(std::make_shared<const std::string>(std::move(batch).take()));
  }
  const Contents expected = after(sequence);
  EXPECT_GT(expected.size(), 100U);
  EXPECT_EQ(after({merge(sequence)}), expected);
  const std::span<const Updates> all(sequence);
  EXPECT_EQ(after({merge(all.first(90)), merge(all.subspan(90))}), expected);
}

// The followers are given a gigabyte at a time, so they have nothing when the reader's drive goes.
TEST(Followers, TakeOverWithAllThatWasGathered) {
  io::SimWorld world(4);
  format(world, 1);
  MetaConfig config = small_config();
  config.follower_batch_bytes = 1 << 30;
  Process p(world, config);
  for (unsigned i = 0; i < 50; ++i) {
    ASSERT_TRUE(p.put("d" + std::to_string(i), "value" + std::to_string(i)));
  }
  world.remove_drive(0);
  ASSERT_TRUE(p.put("d50", "value50"));
  p.settle();
  const auto all = p.all();
  EXPECT_EQ(all.size(), 51U);
  for (unsigned i = 0; i <= 50; ++i) {
    const auto at = all.find("d" + std::to_string(i));
    ASSERT_NE(at, all.end()) << i;
    EXPECT_EQ(at->second, "value" + std::to_string(i));
  }
  EXPECT_GE(p.store->stats().mirrors_lost, 1U);
}

}  // namespace
}  // namespace outcrop::meta
