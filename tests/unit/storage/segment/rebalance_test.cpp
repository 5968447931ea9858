// Where what is rebalanced is written, and shards that move though nothing is missing.
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kTotal = 64 << 20;

class Rebalance : public ::testing::Test {
 protected:
  void set_room(unsigned drive, std::uint64_t files) {
    x_world.set_space(drive, {.total_bytes = kTotal,
                              .free_bytes = metadata_share(kTotal) + files * kTestShardBytes});
  }
  /// An object of two stripes; the drives of its segment.
  Result<std::vector<drives::Slot>> write() {
    const std::string content = pattern(9, 2 << 20);
    TRY(const auto writer, x_p.run(x_p.store->open_writer(content.size(), Purpose::rebalance)));
    TRYV(x_p.run(Process::write(*writer, content)));
    TRY(const auto extents, x_p.run(writer->finish()));
    return x_p.record(extents.front().segment).slots;
  }
  void aim(std::vector<drives::Slot> slots) {
    ASSERT_TRUE(x_p.run(x_p.store->aim(std::move(slots))));
  }
  std::uint64_t move(std::vector<ShardMove> moves) {
    FullSpeed pace;
    return x_p.must(x_p.store->move_shards(std::move(moves), pace, 80,
                                           [this] { return x_p.meta->checkpoint(); }));
  }

  io::SimWorld x_world = formatted_world(5, 2);
  Process x_p{x_world};
};

std::vector<drives::Slot> sorted(std::vector<drives::Slot> slots) {
  std::ranges::sort(slots);
  return slots;
}

TEST_F(Rebalance, WhatIsWrittenLiesOverAllDrivesThatAreAimedAt) {
  EXPECT_EQ(write().error().code(), Errc::no_space) << "nothing is aimed at";
  aim({4, 0, 1, 2});
  EXPECT_EQ(sorted(*write()), (std::vector<drives::Slot>{0, 1, 2, 4}));
  aim({0, 1, 2, 3, 4});
  EXPECT_EQ(write()->size(), 5U) << "what is open is left";
  aim({0, 1, 3, 4});
  EXPECT_EQ(sorted(*write()), (std::vector<drives::Slot>{0, 1, 3, 4}));
}

// Not over fewer, as a client's data would be then.
TEST_F(Rebalance, NothingIsWrittenWhereADriveHasNoRoom) {
  x_p.seal();
  set_room(3, kKeptShards);
  aim({0, 1, 2, 3, 4});
  const auto refused = write();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::no_space);
  set_room(3, kKeptShards + 2);
  EXPECT_TRUE(write());
  x_p.seal();
  ASSERT_TRUE(x_p.drives->set_draining(2, true));
  EXPECT_EQ(write().error().code(), Errc::no_space) << "it takes nothing new";
}

TEST_F(Rebalance, ClientsDoNotGoOnWithNarrowSegments) {
  const std::string content = pattern(1, 200'000);
  const auto narrow = *x_p.put_large(content, 1, content.size());
  EXPECT_EQ(x_p.record(narrow.front().segment).slots.size(), 5U);
  const drives::Slot added = join_new(x_p, x_world);
  aim({0, 1, 2, 3, 4, added});
  const auto wide = *x_p.put_large(content, 2, content.size());
  EXPECT_EQ(x_p.record(wide.front().segment).slots.size(), 6U);
  EXPECT_EQ(*x_p.read(narrow), content);
}

TEST_F(Rebalance, AShardMovesThoughNothingIsMissing) {
  std::vector<Stored> all = put_some(x_p, 1);
  x_p.seal();
  repair(x_p);
  const drives::Slot added = join_new(x_p, x_world);
  std::vector<ShardMove> moves;
  for (const BalanceSegment& segment : x_p.must(x_p.store->balance({})).segments) {
    moves.push_back({segment.id, 1, added, segment.shard_bytes});
  }
  ASSERT_GE(moves.size(), 2U);
  set_room(added, kKeptShards);
  EXPECT_EQ(move(moves), 0U) << "the rest is kept for compaction";
  set_room(added, 20);
  EXPECT_EQ(move(moves), moves.size());
  const Survey survey = x_p.store->survey();
  EXPECT_EQ(survey.slots.at(added).shards, moves.size());
  EXPECT_EQ(survey.degraded, 0U);
  EXPECT_EQ(survey.leftovers, 0U);
  expect_readable(x_p, all, "moved");
  EXPECT_EQ(move({moves.front()}), 0U) << "it is there";
  ASSERT_TRUE(x_p.close());
  expect_any_drive_may_go(x_world, all);
}

TEST_F(Rebalance, WhatIsNotWholeIsLeftToRepair) {
  std::vector<Stored> all = put_some(x_p, 1);
  x_p.seal();
  repair(x_p);
  const Balance before = x_p.must(x_p.store->balance({}));
  const drives::Slot added = join_new(x_p, x_world);
  lose(x_p, x_world, 2);
  const BalanceSegment& large = before.segments.back();
  ASSERT_EQ(large.slots.size(), 5U);
  const unsigned shard = large.slots[0] == 2 ? 1 : 0;
  EXPECT_EQ(move({{large.id, shard, added, large.shard_bytes}}), 0U);
  EXPECT_TRUE(std::ranges::none_of(x_p.must(x_p.store->balance({})).segments,
                                   [&](const BalanceSegment& s) { return s.id == large.id; }));
  expect_readable(x_p, all, "one is lost");
}

TEST_F(Rebalance, GarbageCountsAsRoom) {
  put_some(x_p, 1);
  x_p.seal();
  repair(x_p);
  const Balance all = x_p.must(x_p.store->balance({}));
  const BalanceSegment& one = all.segments.back();
  const Balance less = x_p.must(x_p.store->balance({one.id}));
  EXPECT_EQ(less.garbage, 1U);
  EXPECT_EQ(less.segments.size() + 1, all.segments.size());
  const drives::Slot slot = one.slots.front();
  EXPECT_EQ(less.drives[slot].used + one.shard_bytes, all.drives[slot].used);
  EXPECT_EQ(less.drives[slot].room, all.drives[slot].room + one.shard_bytes);
}

}  // namespace
}  // namespace outcrop::segment
