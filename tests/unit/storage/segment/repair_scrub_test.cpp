// In which order a scrub takes the segments, and how many.
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

class Scrub : public ::testing::Test {
 protected:
  /// Objects in closed segments of their own, verified at 77.
  void put(unsigned count) {
    for (unsigned i = 1; i <= count; ++i) {
      const std::string content = pattern(i, 9'000);
      all.push_back({{*p.put_small(content, i)}, content});
      p.seal();
    }
    repair(p);
  }
  SegmentStore::PassResult scrub(std::uint64_t now, std::size_t most) {
    FullSpeed pace;
    return p.must(p.store->scrub(pace, now, 10, most));
  }
  std::vector<std::uint64_t> verified() {
    std::vector<std::uint64_t> out;
    for (const Stored& stored : all) {
      out.push_back(record(stored).verified);
    }
    return out;
  }
  SegmentRecord record(const Stored& stored) { return p.record(stored.extents.front().segment); }
  void corrupt_all_copies(const Stored& stored) {
    const SegmentRecord where = record(stored);
    for (unsigned shard = 0; shard < where.slots.size(); ++shard) {
      ASSERT_TRUE(world.corrupt(where.slots[shard], shard_path(where.id, shard),
                                stored.extents.front().offset + 70, 5));
    }
  }
  using Times = std::vector<std::uint64_t>;

  io::SimWorld world = formatted_world(3, 1);
  Process p{world};
  std::vector<Stored> all;
};

TEST_F(Scrub, TakesNoMoreThanItWasAskedTo) {
  put(3);
  EXPECT_EQ(scrub(86, 1).whole, 0U) << "nothing is due";
  EXPECT_EQ(scrub(87, 1).whole, 1U);
  EXPECT_EQ(verified(), (Times{87, 77, 77}));
  EXPECT_EQ(scrub(88, 1).whole, 1U);
  EXPECT_EQ(verified(), (Times{87, 88, 77}));
  EXPECT_EQ(scrub(97, 2).whole, 2U);
  EXPECT_EQ(verified(), (Times{97, 88, 97})) << "the oldest first";
  EXPECT_EQ(scrub(98, SIZE_MAX).whole, 1U);
}

// It never gets a new time on record; the others have their turn all the same.
TEST_F(Scrub, ADamagedSegmentWaitsLikeTheOthers) {
  put(3);
  corrupt_all_copies(all[0]);
  EXPECT_EQ(scrub(87, 1).damaged, 1U);
  EXPECT_EQ(scrub(88, 1).whole, 1U);
  EXPECT_EQ(scrub(89, 1).whole, 1U);
  EXPECT_EQ(verified(), (Times{77, 88, 89}));
  const auto none = scrub(90, 1);
  EXPECT_EQ(none.whole + none.damaged, 0U);
  EXPECT_EQ(scrub(97, 1).damaged, 1U) << "it is looked at again";

  // What is damaged of it is deleted: it is whole.
  ASSERT_TRUE(p.unreference(all[0].extents, 1));
  EXPECT_EQ(scrub(107, SIZE_MAX).whole, 3U);
  EXPECT_EQ(p.store->survey().damaged, 0U);
}

// Nothing of it can be moved: a repair does not begin again and again.
TEST_F(Scrub, ADamagedSegmentIsNoWorkForARepair) {
  put(1);
  corrupt_all_copies(all[0]);
  ASSERT_TRUE(p.drives->set_draining(record(all[0]).slots[0], true));
  EXPECT_EQ(p.store->survey().bytes_to_write, kTestShardBytes);
  EXPECT_EQ(repair(p).damaged, 1U);
  EXPECT_EQ(p.store->survey().damaged, 1U);
  EXPECT_EQ(p.store->survey().bytes_to_write, 0U);
  EXPECT_EQ(repair(p).damaged, 0U);
  join_new(p, world);
  EXPECT_EQ(p.store->survey().bytes_to_write, kTestShardBytes) << "the drives have changed";
  EXPECT_EQ(repair(p).damaged, 1U);
}

}  // namespace
}  // namespace outcrop::segment
