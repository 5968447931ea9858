// Garbage collection: space is freed when no committed reference and no pin is left, never before,
// and what a crash left behind is taken back.
#include <set>

#include "tests/unit/storage/segment/rig.h"

namespace outcrop::segment {
namespace {

std::size_t shard_files(io::SimWorld& world) {
  std::size_t n = 0;
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    n += (*world.open_disk(drive))->list("segments")->size();
  }
  return n;
}

TEST(Collect, FreesWhatNobodyReferencesAndUsesItsFilesAgain) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const std::string content = pattern(1, 600'000);
  const auto extents = *p.put_large(content, 1, content.size());
  p.seal();
  EXPECT_EQ(p.collect(), 0U) << "it is referenced";
  EXPECT_EQ(*p.read(extents), content);
  ASSERT_TRUE(p.unreference(extents, 1));
  EXPECT_EQ(p.collect(), 1U);
  EXPECT_FALSE(p.known(extents.front().segment));
  EXPECT_FALSE(p.read(extents)) << "no reader may see what the files hold next";
  EXPECT_EQ(p.store->stats().recycled.load(), 1U);
  const auto again = *p.put_large(content, 2, content.size());
  EXPECT_NE(again.front().segment, extents.front().segment) << "ids are never used twice";
  EXPECT_EQ(*p.read(again), content);
}

// What is given up and not recycled when it is killed is for the next start, which clients wait
// for.
TEST(Collect, ACrashLeavesTheFilesOfSomeSegmentsOnly) {
  constexpr unsigned kSegments = 600;
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  for (unsigned i = 1; i <= kSegments; ++i) {
    const Extent extent = *p.put_small(pattern(i, 100), i);
    p.seal();
    ASSERT_TRUE(p.unreference({extent}, i));
  }
  std::uint64_t recycled = 0, most = 0;
  const auto freed = p.must(p.store->collect([&] {
    const std::uint64_t before = std::exchange(recycled, p.store->stats().recycled.load());
    most = std::max(most, recycled - before);
    return p.meta->checkpoint();
  }));
  EXPECT_EQ(freed, kSegments);
  EXPECT_EQ(p.store->stats().recycled.load(), kSegments);
  EXPECT_GT(recycled, 0U) << "there is more than one checkpoint";
  EXPECT_LE(std::max(most, kSegments - recycled), 256U);
}

TEST(Collect, OneReferenceOfManyKeepsASegment) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  std::vector<Extent> extents;
  for (InodeId owner = 1; owner <= 8; ++owner) {
    extents.push_back(*p.put_small(pattern(owner, 9000), owner));
  }
  p.seal();
  for (InodeId owner = 1; owner <= 7; ++owner) {
    ASSERT_TRUE(p.unreference({extents[owner - 1]}, owner));
    EXPECT_EQ(p.collect(), 0U) << owner;
  }
  EXPECT_EQ(*p.read({extents[7]}), pattern(8, 9000));
  ASSERT_TRUE(p.unreference({extents[7]}, 8));
  EXPECT_EQ(p.collect(), 1U);
}

TEST(Collect, ASharedExtentStaysUntilItsLastOwnerGoes) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const Extent extent = *p.put_small(pattern(1, 9000), 1);
  meta::Batch copy;
  copy.put(meta::extent_ref_key(extent, 2), "");
  ASSERT_TRUE(p.run(p.meta->commit(std::move(copy))));
  p.seal();
  ASSERT_TRUE(p.unreference({extent}, 1));
  EXPECT_EQ(p.collect(), 0U);
  EXPECT_EQ(*p.read({extent}), pattern(1, 9000));
  ASSERT_TRUE(p.unreference({extent}, 2));
  EXPECT_EQ(p.collect(), 1U);
}

TEST(Collect, UsageCountsWhatOwnersShareOnce) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const Extent first = *p.put_small(pattern(1, 9000), 1);
  const Extent second = *p.put_small(pattern(2, 5000), 2);
  ASSERT_EQ(first.segment, second.segment);
  EXPECT_FALSE(p.must(p.store->usage(first.segment))) << "it is open";
  EXPECT_TRUE(p.store->sealed().empty());
  p.seal();
  EXPECT_EQ(p.store->sealed(), std::vector{first.segment});
  const auto of = [&](SegmentId id) { return p.must(p.store->usage(id)).value(); };
  EXPECT_EQ(of(first.segment).live, 14'000U);
  EXPECT_EQ(of(first.segment).capacity, kTestShardBytes - kSmallMax) << "one more may not fit";
  EXPECT_EQ(of(first.segment).taken, 2 * kTestShardBytes);
  EXPECT_TRUE(of(first.segment).small);
  meta::Batch more;
  more.put(meta::extent_ref_key(first, 3), meta::encode(meta::ExtentRef{9000, 100}));
  more.put(meta::extent_ref_key(second, 2), meta::encode(meta::ExtentRef{5000, 70}));
  more.put(meta::extent_ref_key(second, 4), meta::encode(meta::ExtentRef{5000, 30}));
  ASSERT_TRUE(p.run(p.meta->commit(std::move(more))));
  EXPECT_EQ(of(first.segment).live, 9'100U);
  EXPECT_EQ(of(first.segment).references, 4U);
  EXPECT_FALSE(p.must(p.store->usage(first.segment + 1000)));
  EXPECT_EQ(p.store->stripe_cost(), 1.5) << "2+1";
  const Extent large = p.put_large(pattern(3, 200'000), 5, 200'000)->front();
  p.seal();
  const std::uint64_t stripe = of(large.segment).taken / 3 - of(large.segment).capacity / 2;
  EXPECT_EQ(stripe, chunk_bytes_for(2));
  EXPECT_FALSE(of(large.segment).small);
}

static_assert(metadata_share(std::uint64_t{100} << 30) == std::uint64_t{3200} << 20);
static_assert(metadata_share(std::uint64_t{4} << 40) == std::uint64_t{8} << 30, "not 128 GiB");
static_assert(metadata_share(std::uint64_t{2} << 30) == 256 << 20);
static_assert(metadata_share(512 << 20) == 128 << 20);

// A store that clients have filled can still move things about.
TEST(Collect, ClientsLeaveRoomForUpkeep) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const std::string content = pattern(1, 1 << 20);
  InodeId owner = 1;
  ASSERT_TRUE(p.put_large(content, owner, content.size()));
  p.settle();
  for (unsigned drive = 0; drive < 3; ++drive) {
    // Less than a shard file is left beside the share of metadata: there are the spares.
    constexpr std::uint64_t kTotal = 64 << 20;
    world.set_space(
        drive, {.total_bytes = kTotal, .free_bytes = metadata_share(kTotal) + kTestShardBytes - 1});
  }
  Result<std::vector<Extent>> put = p.put_large(content, owner, content.size());
  for (; put && owner < 100; put = p.put_large(content, owner, content.size())) {
    ++owner;
  }
  ASSERT_FALSE(put);
  EXPECT_EQ(p.store->client_bytes(0).value(), 0U);
  const std::uint64_t spares = p.store->spare_bytes(0);
  ASSERT_TRUE(p.store->trim_spares(0));
  EXPECT_EQ(p.store->spare_bytes(0), spares) << "metadata has enough";
  EXPECT_EQ(put.error().code(), Errc::no_space);
  const auto writer = p.must(p.store->open_writer(content.size(), Purpose::upkeep));
  ASSERT_TRUE(p.run(Process::write(*writer, content)));
  EXPECT_TRUE(p.run(writer->finish()));
  EXPECT_FALSE(p.put_large(content, owner, content.size()));
  world.set_space(0, {.total_bytes = 64 << 20, .free_bytes = 1 << 20});
  ASSERT_TRUE(p.store->trim_spares(0));
  EXPECT_EQ(p.store->spare_bytes(0), 0U);
}

// The smaller drives of a box are full first: the others go on, with all of their parity, until
// fewer than m+1 have room.
TEST(Collect, FullDrivesDoNotStopTheOthers) {
  io::SimWorld world = formatted_world(5, 1);
  Process p(world);
  const std::string content = pattern(1, 1 << 20);
  InodeId owner = 1;
  const auto in_a_new_one = [&] {
    p.seal();
    return p.put_large(content, ++owner, content.size());
  };
  ASSERT_TRUE(in_a_new_one());
  const auto full = [&](unsigned drive) {
    world.set_space(drive, {.total_bytes = 64 << 20, .free_bytes = metadata_share(64 << 20)});
    while (p.store->spare_bytes(drive) > kKeptShards * kTestShardBytes) {
      ASSERT_TRUE(in_a_new_one());
    }
  };
  for (unsigned drive = 0; drive < 3; ++drive) {
    full(drive);
    p.settle();
    const auto put = p.put_large(content, ++owner, content.size());
    ASSERT_TRUE(put) << drive << ": " << put.error().describe();
  }
  const Extent striped = in_a_new_one()->front();
  const SegmentRecord record = p.record(striped.segment);
  EXPECT_EQ(record.k, 1);
  EXPECT_EQ(record.m, 1) << "all of the parity";
  EXPECT_EQ(std::set(record.slots.begin(), record.slots.end()), (std::set<drives::Slot>{3, 4}));
  EXPECT_EQ(*p.read({striped}), content);
  p.seal();
  const SegmentRecord whole = p.record(p.put_small("a small one", ++owner)->segment);
  EXPECT_EQ(std::set(whole.slots.begin(), whole.slots.end()), (std::set<drives::Slot>{3, 4}));
  world.set_space(3, {.total_bytes = 64 << 20, .free_bytes = metadata_share(64 << 20)});
  auto put = in_a_new_one();
  for (int i = 0; i < 100 && put; ++i) {
    put = in_a_new_one();
  }
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code(), Errc::no_space);
}

TEST(Collect, AnOpenSegmentIsLeftAlone) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const Extent extent = *p.put_small(pattern(1, 9000), 1);
  ASSERT_TRUE(p.unreference({extent}, 1));
  EXPECT_EQ(p.collect(), 0U) << "the worker appends to it";
}

TEST(Collect, APinKeepsASegmentOfADeletedObject) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const std::string content = pattern(1, 600'000);
  const auto extents = *p.put_large(content, 1, content.size());
  p.seal();
  PinPtr reader = p.store->pin(extents);
  ASSERT_TRUE(p.unreference(extents, 1));
  EXPECT_EQ(p.collect(), 0U);
  EXPECT_EQ(*p.read(extents), content);
  reader.reset();
  EXPECT_EQ(p.collect(), 1U);
}

TEST(Collect, APinTakenWhileItScansIsSeen) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const auto extents = *p.put_large(pattern(1, 600'000), 1, 600'000);
  p.seal();
  ASSERT_TRUE(p.unreference(extents, 1));
  PinPtr late;
  const auto freed = p.must(p.store->collect([&p, &late, &extents] {
    late = p.store->pin(extents);  // after the decision: the segment has left the catalogue
    return p.meta->checkpoint();
  }));
  EXPECT_EQ(freed, 1U);
  EXPECT_FALSE(p.read(extents)) << "a pin that came too late pins nothing";
}

// A placed record and a striped upload that have no reference yet are held by their pins alone.
TEST(Collect, WhatIsOnItsWayIsPinned) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  {
    const Placed placed = p.must(p.store->place_small(as_bytes("not committed yet")));
    const auto writer = p.must(p.store->open_writer(900'000, Purpose::client));
    ASSERT_TRUE(p.run(Process::write(*writer, pattern(1, 900'000))));
    const auto extents = p.must(writer->finish());
    p.seal();
    EXPECT_EQ(p.collect(), 0U);
    EXPECT_EQ(*p.read(extents), pattern(1, 900'000));
    EXPECT_TRUE(p.known(placed.extent.segment));
  }
  ASSERT_TRUE(p.run(p.meta->commit({})));  // carries the record that nobody committed
  p.settle();
  EXPECT_EQ(p.collect(), 2U) << "given up: nothing names them any more";
}

// The writer is destroyed while its stripes are still on their way to the drives. Until they have
// landed the files must not be reused: they would be written into another segment.
TEST(Collect, AnUploadGivenUpWithStripesInFlightPinsItsSegment) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  {
    const auto first = *p.put_large(pattern(9, 200'000), 1, 200'000);  // makes the segment
    ASSERT_TRUE(p.unreference(first, 1));
    p.gate.closed = true;
    auto writer = p.must(p.store->open_writer(0, Purpose::client));
    const std::size_t stripe = 2 * (chunk_bytes_for(2) - kHeaderBytes);
    ASSERT_TRUE(p.run(Process::write(*writer, pattern(1, stripe))));
  }
  p.seal();
  EXPECT_EQ(p.collect(), 0U) << "its files would be written to after they were given away";
  p.gate.open();
  p.settle();
  EXPECT_EQ(p.collect(), 1U) << "the stripe has landed";
}

TEST(Collect, OrphansOfACrashAreTakenBack) {
  io::SimWorld world = formatted_world(3, 1);
  std::string kept = pattern(1, 300'000);
  std::vector<Extent> extents;
  {
    Process p(world);
    extents = *p.put_large(kept, 1, kept.size());
    const auto writer = p.must(p.store->open_writer(0, Purpose::client));
    ASSERT_TRUE(p.run(Process::write(*writer, pattern(2, 1'500'000))));
  }
  world.reboot(4);
  Process p(world);
  const std::size_t before = shard_files(world);
  p.collect();
  EXPECT_EQ(*p.read(extents), kept);
  ASSERT_TRUE(p.unreference(extents, 1));
  p.collect();
  const std::size_t left = shard_files(world);
  EXPECT_LT(left, before);
  EXPECT_EQ(left, 0U) << "after a restart every segment is sealed; none is referenced";
}

struct Files {
  std::size_t segments = 0, whole_segments = 0, spares = 0, whole_spares = 0;
};
Files files_of(io::SimWorld& world, unsigned drive) {
  Files out;
  const auto disk = std::move(*world.open_disk(drive));
  const auto whole = [&](const std::string& path) {
    return *(*disk->open(path, io::Access::read, io::Cache::buffered))->whole();
  };
  for (const std::string& name : *disk->list("segments")) {
    ++out.segments;
    out.whole_segments += whole("segments/" + name);
  }
  for (const std::string& name : *disk->list("spare")) {
    ++out.spares;
    out.whole_spares += whole("spare/" + name);
  }
  return out;
}

TEST(Collect, ARestartGivesBackWhatTheRunDidNotUse) {
  constexpr InodeId kRuns = 12;
  io::SimWorld world = formatted_world(3, 1);
  std::vector<std::vector<Extent>> kept;
  for (InodeId run = 0; run < kRuns; ++run) {
    auto p = std::make_unique<Process>(world);
    kept.push_back({*p->put_small(pattern(run, 9000), 2 * run + 1)});
    kept.push_back(*p->put_large(pattern(run, 300'000), 2 * run + 2, 300'000));
    if (run % 2 == 0) {
      ASSERT_TRUE(p->close());
    }
    p.reset();
    world.reboot(run);
  }
  Process p(world);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(*p.read(kept[i]), pattern(i / 2, i % 2 == 0 ? 9000 : 300'000)) << i;
  }
  const Files full = files_of(world, 0);
  EXPECT_GT(full.segments, 0U);
  EXPECT_EQ(full.whole_segments, 0U);
  EXPECT_EQ(full.whole_spares, full.spares);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    ASSERT_TRUE(p.unreference(kept[i], i + 1));
  }
  p.collect();
  const Files empty = files_of(world, 0);
  EXPECT_EQ(empty.segments, 0U);
  EXPECT_EQ(empty.spares, full.spares) << "who writes into a hole waits for the filesystem";
}

TEST(Collect, SegmentsThatARunNeverUsedAreUsedByTheNext) {
  io::SimWorld world = formatted_world(3, 1);
  std::size_t spares = 0;
  for (std::uint64_t run = 0; run < 12; ++run) {
    auto p = std::make_unique<Process>(world);
    const Files before = files_of(world, 0);
    EXPECT_EQ(before.segments, 0U) << run;
    spares = run == 1 ? before.spares : spares;
    EXPECT_LE(before.spares, run < 1 ? before.spares : spares) << run;
    ASSERT_TRUE(p->run(p->store->place_small(as_bytes(pattern(run, 9000)))));
    p.reset();
    world.reboot(run);
  }
}

// Files of a segment that was freed while their drive was away, and of one never published.
TEST(Collect, ShardFilesOfNoSegmentBecomeSpares) {
  io::SimWorld world = formatted_world(3, 1);
  std::vector<Extent> extents;
  {
    Process p(world);
    extents = *p.put_large(pattern(1, 300'000), 1, 300'000);
    ASSERT_TRUE(p.close());
  }
  world.remove_drive(2);
  {
    Process p(world);
    EXPECT_EQ(*p.read(extents), pattern(1, 300'000));
    ASSERT_TRUE(p.unreference(extents, 1));
    EXPECT_EQ(p.collect(), 1U);
    ASSERT_TRUE(p.close());
  }
  world.restore_drive(2);
  Process p(world);
  EXPECT_EQ((*world.open_disk(2))->list("segments")->size(), 0U);
  EXPECT_GT((*world.open_disk(2))->list("spare")->size(), 0U);
  EXPECT_FALSE(p.read(extents));
}

}  // namespace
}  // namespace outcrop::segment
