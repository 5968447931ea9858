// Repair: what a lost, stale or draining drive held is brought to where it belongs, and after that
// any m other drives may go.
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

/// As relocation writes: in a segment that stays open for the next of its kind.
std::vector<Extent> put_upkeep(Process& p, const std::string& content, InodeId owner) {
  const auto writer = p.must(p.store->open_writer(content.size(), Purpose::upkeep));
  EXPECT_TRUE(p.run(Process::write(*writer, content)));
  auto extents = p.must(writer->finish());
  meta::Batch batch;
  for (const Extent& extent : extents) {
    Process::put_ref(batch, extent, owner);
  }
  EXPECT_TRUE(p.run(p.meta->commit(std::move(batch))));
  return extents;
}

TEST(SegmentRecord, VersionOneIsRead) {
  SegmentRecord record;
  record.id = 300;
  record.k = 2;
  record.m = 1;
  record.chunk_bytes = chunk_bytes_for(2);
  record.shard_bytes = 2 << 20;
  record.slots = {4, 0, 7};
  std::string old = encode(record);
  old[0] = 1;
  old.resize(old.size() - 3);  // closed, holes, verified
  EXPECT_EQ(decode_segment(old).value(), record);
  EXPECT_FALSE(decode_segment(old + '\0')) << "it has nothing more";

  record.closed = true;
  record.holes = 0b101;
  record.verified = 1'790'000'000;
  EXPECT_EQ(decode_segment(encode(record)).value(), record);
  record.holes = 0b1000;
  EXPECT_FALSE(decode_segment(encode(record))) << "there is no such shard";
  record.closed = false;
  record.holes = 1;
  EXPECT_FALSE(decode_segment(encode(record))) << "holes of an open segment are not known";
}

TEST(Repair, ANewDriveTakesThePlaceOfALostOne) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = put_some(p, 1);
    lose(p, world, 1);
    std::ranges::move(put_some(p, 2), std::back_inserter(all));
    const auto before = repair(p);
    EXPECT_GT(before.blocked, 0U) << "a stripe over all drives has nowhere to go";
    EXPECT_GT(p.store->survey().degraded, 0U);
    const drives::Slot slot = join_new(p, world);
    const auto after = repair(p);
    EXPECT_EQ(after.blocked + after.damaged + after.failed, 0U);
    const Survey survey = p.store->survey();
    EXPECT_EQ(survey.degraded, 0U);
    EXPECT_FALSE(survey.slots.contains(1));
    EXPECT_GT(survey.slots.at(slot).shards, 0U);
    expect_readable(p, all, "after the repair");
    EXPECT_EQ(repair(p).whole, 0U) << "there is nothing left to do";
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

TEST(Repair, ADriveWithoutADirectoryIsNoLostDrive) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = put_some(p, 1);
    ASSERT_TRUE(p.close());
  }
  world.reboot(2);
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    ASSERT_TRUE((*world.open_disk(drive))->remove_tree("spare"));
  }
  ASSERT_TRUE((*world.open_disk(1))->remove_tree("segments"));
  {
    Process p(world);
    EXPECT_EQ(p.drives->live_slots().size(), world.drives());
    expect_readable(p, all, "before the repair");
    std::ranges::move(put_some(p, 2), std::back_inserter(all));
    const auto repaired = repair(p);
    EXPECT_GT(repaired.whole, 0U);
    EXPECT_EQ(repaired.blocked + repaired.damaged + repaired.failed, 0U);
    EXPECT_EQ(p.store->survey().degraded, 0U);
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

TEST(Repair, WholeRecordsOfALostDriveMoveToTheRemainingOnes) {
  io::SimWorld world = formatted_world(4, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    for (unsigned i = 0; i < 8; ++i) {
      all.push_back({{*p.put_small(pattern(i, 9'000), i + 1)}, pattern(i, 9'000)});
      p.seal();
    }
    lose(p, world, 3);
    repair(p);
    EXPECT_EQ(p.store->survey().degraded, 0U);
    EXPECT_FALSE(p.store->survey().slots.contains(3));
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

// Segments that were open when the drive left lack what was written without it. That is on record
// when it is back, and is filled in.
TEST(Repair, AReturnedDriveGetsWhatItMissed) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    // The stripes of the second half are on their way when the drive goes.
    const auto writer = p.must(p.store->open_writer(3'000'000, Purpose::client));
    const std::string content = pattern(9, 3'000'000);
    ASSERT_TRUE(p.run(Process::write(*writer, std::string_view(content).substr(0, 1'500'000))));
    lose(p, world, 1);
    ASSERT_TRUE(p.run(Process::write(*writer, std::string_view(content).substr(1'500'000))));
    auto extents = p.must(writer->finish());
    meta::Batch batch;
    for (const Extent& extent : extents) {
      Process::put_ref(batch, extent, 50);
    }
    ASSERT_TRUE(p.run(p.meta->commit(std::move(batch))));
    all.push_back({extents, content});
  }
  world.reboot(3);
  world.restore_drive(1);
  {
    Process p(world);
    EXPECT_FALSE(p.drives->record().members[1].returning) << "what it missed is on record";
    EXPECT_GT(p.store->survey().degraded, 0U);
    repair(p);
    EXPECT_EQ(p.store->survey().degraded, 0U);
    EXPECT_GT(p.store->stats().repaired_chunks.load(), 0U);
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

// Of a drive that lost some files nobody has to read first to find out.
TEST(Repair, AShardFileThatIsGoneIsKnownAtTheStart) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = put_some(p, 1);
    p.seal();
    const SegmentRecord record = p.record(all.back().extents.front().segment);
    ASSERT_TRUE(p.close());
    ASSERT_TRUE(p.drives->disk(record.slots[1])->remove(shard_path(record.id, 1)));
  }
  world.reboot(3);
  {
    Process p(world);
    const Survey survey = p.store->survey();
    EXPECT_EQ(survey.degraded, 1U);
    EXPECT_EQ(survey.bytes_to_write, kTestShardBytes);
    EXPECT_EQ(repair(p).whole, 1U);
    EXPECT_EQ(p.store->survey().degraded, 0U);
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

// One bad directory does not keep the box from starting, also where it makes it read-only.
TEST(Repair, ADriveWhoseFilesCannotBeListedIsOutFromTheStart) {
  for (const unsigned drives : {3U, 2U}) {
    for (const char* const dir : {"segments", "spare"}) {
      io::SimWorld world = formatted_world(drives, 1);
      std::vector<Stored> all;
      {
        Process p(world);
        all = put_some(p, 1);
        ASSERT_TRUE(p.close());
      }
      world.reboot(3);
      world.add_error({.drive = 1, .step = io::SimStep::read, .path_part = dir});
      Process p(world);
      EXPECT_FALSE(p.drives->live(1)) << dir;
      expect_readable(p, all, dir);
      EXPECT_GT(p.store->survey().degraded, 0U);
      EXPECT_EQ(p.put_small(pattern(1, 9'000), 900).has_value(), drives == 3);
    }
  }
}

TEST(Repair, ADriveIsDrainedRemovedAndPulled) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = put_some(p, 1);
    all.push_back({put_upkeep(p, pattern(3, 70'000), 60), pattern(3, 70'000)});
    join_new(p, world);
    ASSERT_TRUE(p.drives->set_draining(0, true));
    repair(p);
    EXPECT_FALSE(p.store->survey().slots.contains(0));
    EXPECT_EQ((*world.open_disk(0))->list("segments")->size(), 0U) << "what moved is removed";
    EXPECT_FALSE(p.must(p.meta->needs(0))) << "mirror and journal have moved too";
    const auto mirrors = p.drives->record().mirrors;
    EXPECT_EQ(mirrors.size(), 2U);
    EXPECT_EQ(std::ranges::count(mirrors, 0), 0);
    ASSERT_TRUE(p.drives->remove(0));
    world.remove_drive(0);
    std::ranges::move(put_some(p, 2), std::back_inserter(all));
    expect_readable(p, all, "after it was pulled");
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

TEST(Repair, DamageIsRepairedByAMoveAndByAScrub) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(world);
    all = put_some(p, 1);
    p.seal();
    repair(p);
    join_new(p, world);
    ASSERT_TRUE(p.drives->set_draining(2, true));
    for (const Stored& one : all) {
      const SegmentRecord record = p.record(one.extents.front().segment);
      ASSERT_TRUE(world.corrupt(record.slots[0], shard_path(record.id, 0),
                                one.extents.front().offset + 70, 5));
    }
    repair(p);
    FullSpeed pace;
    EXPECT_EQ(p.must(p.store->scrub(pace, 77, 1)).whole, 0U) << "all has just been read or written";
    EXPECT_GT(p.must(p.store->scrub(pace, 78, 1)).whole, 0U);
    EXPECT_GT(p.store->stats().repaired_chunks.load(), 0U);
    const auto repaired = p.store->stats().repaired_chunks.load();
    EXPECT_GT(p.must(p.store->scrub(pace, 500, 1)).whole, 0U);
    EXPECT_EQ(p.store->stats().repaired_chunks.load(), repaired) << "there is no damage left";
    ASSERT_TRUE(p.close());
  }
  expect_any_drive_may_go(world, all);
}

TEST(Repair, WhatAReaderFindsDamagedIsRewritten) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  std::vector<Stored> all = put_some(p, 1);
  p.seal();
  repair(p);  // closes the segments
  for (const Stored& one : all) {
    const Extent& extent = one.extents.front();
    const SegmentRecord record = p.record(extent.segment);
    // The copy that readers ask first; of a stripe always the data.
    const auto shard = static_cast<unsigned>(
        record.small ? ((extent.offset >> 20) + extent.segment) % record.slots.size() : 0);
    ASSERT_TRUE(
        world.corrupt(record.slots[shard], shard_path(record.id, shard), extent.offset + 70, 5));
    expect_readable(p, all, "damaged");
    FullSpeed pace;
    ASSERT_TRUE(p.run(p.store->repair_noted(pace)));
  }
  EXPECT_GE(p.store->stats().repaired_chunks.load(), all.size());
  ASSERT_TRUE(p.close());
  expect_any_drive_may_go(world, all);
}

// One copy of a record is on a drive that is away, the other is damaged. The repair must not move
// anything: the drive that is away has the last good copy, and is asked when it comes back.
TEST(Repair, DamageBeyondParityMovesNothingAndHealsWhenTheDriveIsBack) {
  for (const bool small : {true, false}) {
    io::SimWorld world = formatted_world(3, 1);
    std::vector<Stored> all;
    SegmentId id = 0;
    {
      Process p(world);
      const std::string content = pattern(1, small ? 9'000 : 400'000);
      auto extents =
          small ? std::vector{*p.put_small(content, 1)} : *p.put_large(content, 1, 400'000);
      id = extents.front().segment;
      all.push_back({extents, content});
      p.seal();
      repair(p);
      const SegmentRecord record = p.record(id);
      ASSERT_TRUE(world.corrupt(record.slots[1], shard_path(id, 1), extents.front().offset, 100));
      lose(p, world, record.slots[0]);
      join_new(p, world);
      const auto pass = repair(p);
      EXPECT_EQ(pass.damaged, 1U);
      EXPECT_EQ(p.record(id).slots, record.slots);
      EXPECT_EQ(p.store->survey().damaged, 1U);
      EXPECT_FALSE(p.read(all.front().extents));
      ASSERT_TRUE(p.close());
    }
    world.reboot(2);
    for (unsigned drive = 0; drive < 3; ++drive) {
      world.restore_drive(drive);
    }
    Process p(world);
    expect_readable(p, all, "the drive is back");
    FullSpeed pace;
    EXPECT_TRUE(p.run(p.store->scrub(pace, 100, 1)));
    EXPECT_EQ(p.store->survey().damaged, 0U);
    ASSERT_TRUE(p.close());
    expect_any_drive_may_go(world, all);
  }
}

TEST(Repair, GarbageIsNotFreedUnderARepairNorRepairedWhileItIsFreed) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const auto extents = *p.put_large(pattern(1, 600'000), 1, 600'000);
  p.seal();
  join_new(p, world);
  ASSERT_TRUE(p.drives->set_draining(1, true));
  repair(p);  // closes it, moves a shard
  ASSERT_TRUE(p.drives->set_draining(1, false));
  ASSERT_TRUE(p.drives->set_draining(2, true));
  ASSERT_TRUE(p.unreference(extents, 1));
  /// Collects garbage in the middle of the repair.
  class Meddler final : public Pace {
   public:
    explicit Meddler(Process& process) : x_p(process) {}
    Task<> after(std::uint64_t) override {
      CO_TRY(const std::uint64_t freed,
             co_await x_p.store->collect([this] { return x_p.meta->checkpoint(); }));
      EXPECT_EQ(freed, 0U);
      co_return ok();
    }

   private:
    Process& x_p;
  };
  Meddler pace(p);
  EXPECT_EQ(p.must(p.store->repair(pace, 1, [&p] { return p.meta->checkpoint(); })).whole, 1U);
  EXPECT_EQ(p.collect(), 1U);
  EXPECT_EQ(repair(p).whole, 0U);
}

// The power goes at every I/O of a repair. What was there is readable, with one drive less too, and
// the next run finishes.
TEST(Repair, CrashAtEveryIoLosesNothingAndTheNextRunFinishes) {
  io::SimWorld start = formatted_world(3, 1);
  std::vector<Stored> all;
  {
    Process p(start);
    all.push_back({{*p.put_small(pattern(1, 9'000), 1)}, pattern(1, 9'000)});
    all.push_back({*p.put_large(pattern(2, 300'000), 2, 300'000), pattern(2, 300'000)});
    p.seal();
    lose(p, start, 2);
    join_new(p, start);
    ASSERT_TRUE(p.close());
  }
  start.reboot(1);
  std::uint64_t states = 0;
  for (const io::CrashMode mode :
       {io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn}) {
    for (std::uint64_t n = 1, finished = 0; finished == 0; ++n, ++states) {
      io::SimWorld world = start.clone(n);
      world.reboot(n);
      {
        Process p(world);
        world.crash_at(n, mode);
        FullSpeed pace;
        const auto done = p.run(p.store->repair(pace, 1, [&p] { return p.meta->checkpoint(); }));
        finished = done && !world.crashed() ? 1 : 0;
      }
      world.reboot(n * 7);
      {
        io::SimWorld less = world.clone(n);
        less.reboot(n);
        less.remove_drive(finished != 0 ? n % 2 : 3);  // while it is not finished: the new one
        Process p(less);
        expect_readable(p, all, "crash at " + std::to_string(n));
      }
      {
        Process p(world);
        expect_readable(p, all, "crash at " + std::to_string(n));
        EXPECT_EQ(repair(p).failed, 0U);
        EXPECT_EQ(p.store->survey().degraded, 0U) << "crash at " << n;
        ASSERT_TRUE(p.close());
      }
      if (n % 16 == 1) {
        expect_any_drive_may_go(world, all);
      }
      ASSERT_FALSE(testing::Test::HasFailure()) << "crash at " << n;
    }
  }
  std::printf("%llu crash states\n", static_cast<unsigned long long>(states));
}

}  // namespace
}  // namespace outcrop::segment
