// What repair does with the file that a shard moved away from, when drives come and go meanwhile.
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

/// Ejects a drive at the n-th look at the pace.
class EjectAt final : public Pace {
 public:
  EjectAt(Process& p, drives::Slot slot, unsigned n) : x_p(p), x_slot(slot), x_left(n) {}
  Task<> after(std::uint64_t) override {
    if (x_left > 0 && --x_left == 0) {
      CO_TRYV(x_p.drives->eject(x_slot, Error(Errc::io_error, "test")));
      ejected = true;
    }
    co_return ok();
  }
  bool ejected = false;

 private:
  Process& x_p;
  const drives::Slot x_slot;
  unsigned x_left;
};

/// A segment of records, the first copy on drive 0, and one of stripes over drives 0 to 2, closed;
/// drive 3 is empty.
std::vector<Stored> two_segments_and_an_empty_drive(Process& p, io::SimWorld& world) {
  std::vector<Stored> all;
  const std::string small = pattern(1, 9'000), large = pattern(2, 700'000);
  for (InodeId owner = 1; all.empty(); ++owner) {
    const Extent extent = *p.put_small(small, owner);
    p.seal();
    if (p.record(extent.segment).slots[0] == 0) {
      all.push_back({{extent}, small});
    } else {
      EXPECT_TRUE(p.unreference({extent}, owner));
      p.collect();
    }
  }
  all.push_back({*p.put_large(large, 100, large.size()), large});
  p.seal();
  repair(p);
  join_new(p, world);
  return all;
}

// A drive that is filled from one that drains dies at any moment. The shards are still on the one
// that drains: nothing is missing.
TEST(RepairMoves, TheOldShardCountsAgainWhenTheNewDriveDies) {
  io::SimWorld start = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(start);
    all = two_segments_and_an_empty_drive(p, start);
    ASSERT_TRUE(p.close());
  }
  bool ejected = true;
  unsigned moved = 0;
  for (unsigned n = 1; ejected; ++n) {
    io::SimWorld world = start.clone(n);
    world.reboot(n);
    {
      Process p(world);
      ASSERT_TRUE(p.drives->set_draining(0, true));
      EjectAt pace(p, 3, n);
      EXPECT_TRUE(p.run(p.store->repair(pace, 80, [&p] { return p.meta->checkpoint(); })));
      ejected = pace.ejected;
      moved += ejected && p.store->stats().moved_shards.load() > 0 ? 1 : 0;
      const Survey survey = p.store->survey();
      EXPECT_EQ(survey.degraded, 0U) << "ejected at " << n;
      EXPECT_EQ(survey.slots.contains(3), !ejected) << "ejected at " << n;
      expect_readable(p, all, "ejected at " + std::to_string(n));
      ASSERT_TRUE(p.close());
    }
    if (ejected) {
      world.remove_drive(3);
    }
    if (n % 8 == 0 || !ejected) {
      expect_any_drive_may_go(world, all);
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "ejected at " << n;
  }
  EXPECT_GT(moved, 0U) << "it never died after a move";
}

// The checkpoint after a drain failed, so the old files are still there when the shards move back.
TEST(RepairMoves, AShardThatMovesBackIsNotTakenForWhatItLeftBehind) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = two_segments_and_an_empty_drive(p, world);
    ASSERT_TRUE(p.drives->set_draining(0, true));
    FullSpeed pace;
    const auto failed = p.run(p.store->repair(
        pace, 80, []() -> Task<> { co_return fail(Errc::no_space, "no checkpoint"); }));
    ASSERT_FALSE(failed);
    EXPECT_GT(p.store->survey().slots.at(3).shards, 0U);
    ASSERT_TRUE(p.drives->set_draining(0, false));
    ASSERT_TRUE(p.drives->set_draining(3, true));
    EXPECT_EQ(repair(p).blocked, 0U);
    EXPECT_FALSE(p.store->survey().slots.contains(3));
    EXPECT_EQ((*world.open_disk(0))->list("segments")->size(),
              p.store->survey().slots.at(0).shards);
    EXPECT_EQ((*world.open_disk(3))->list("segments")->size(), 0U);
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

}  // namespace
}  // namespace outcrop::segment
