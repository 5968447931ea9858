// Where payload is put, and what a commit may rely on when drives leave in between.
#include <algorithm>
#include <set>

#include "tests/unit/storage/segment/rig.h"

namespace outcrop::segment {
namespace {

/// A record in an open segment whose drives hold no metadata, so that they can all leave.
Extent segment_off_the_mirrors(Process& p) {
  const auto is_mirror = [mirrors = p.drives->record().mirrors](drives::Slot slot) {
    return std::ranges::find(mirrors, slot) != mirrors.end();
  };
  for (;;) {
    const Extent extent = *p.put_small("makes the segment", 1);
    if (std::ranges::none_of(p.record(extent.segment).slots, is_mirror)) {
      return extent;
    }
    p.seal();
  }
}

TEST(Placement, EachGeometryIsSpreadOverDistinctLiveDrives) {
  io::SimWorld world = formatted_world(6, 2);
  Process p(world);
  const Extent small = *p.put_small(pattern(1, 5000), 1);
  const auto large = *p.put_large(pattern(2, 3'000'000), 2, 3'000'000);
  const SegmentRecord whole = p.record(small.segment);
  EXPECT_TRUE(whole.small);
  EXPECT_EQ(whole.k, 1);
  EXPECT_EQ(whole.m, 2);
  const SegmentRecord striped = p.record(large.front().segment);
  EXPECT_FALSE(striped.small);
  EXPECT_EQ(striped.k, 4);
  EXPECT_EQ(striped.m, 2);
  for (const SegmentRecord& record : {whole, striped}) {
    EXPECT_EQ(std::set(record.slots.begin(), record.slots.end()).size(), record.k + record.m);
  }
  EXPECT_EQ(large.size(), 1U) << "a size hint keeps an object in one piece";
  EXPECT_EQ(*p.read(large), pattern(2, 3'000'000));
  EXPECT_EQ(*p.read(small, 0, 5000), pattern(1, 5000));
}

TEST(Placement, SmallRecordsLieSideBySideAndNeverShareABlockWithAnAckedOne) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  std::vector<Extent> extents;
  for (unsigned i = 0; i < 20; ++i) {
    extents.push_back(*p.put_small(pattern(i, 100 + i * 777), i + 1));
  }
  for (std::size_t i = 1; i < extents.size(); ++i) {
    // One commit at a time: each is a durable write of its own blocks.
    EXPECT_EQ(extents[i].segment, extents[0].segment);
    EXPECT_EQ(extents[i].offset % kIoAlign, 0U);
    EXPECT_GE(extents[i].offset, extents[i - 1].offset + kHeaderBytes + extents[i - 1].length);
  }
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(*p.read(extents[i], 0, extents[i].length), pattern(i, 100 + i * 777));
  }
}

TEST(Placement, SizesAtTheEdgesOfRecordsAndStripes) {
  io::SimWorld world = formatted_world(4, 2);
  Process p(world);
  InodeId owner = 1;
  for (const std::size_t size : {std::size_t{1}, std::size_t{4032}, std::size_t{4033}, kSmallMax}) {
    const std::string content = pattern(size, size);
    EXPECT_EQ(*p.read({*p.put_small(content, ++owner)}), content) << size;
  }
  const std::size_t stripe = 2 * (chunk_bytes_for(2) - kHeaderBytes);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{4096}, stripe - 1, stripe, stripe + 1, 3 * stripe + 12'345}) {
    for (const std::uint64_t hint : {std::uint64_t{0}, std::uint64_t{size}, std::uint64_t{17}}) {
      const std::string content = pattern(size + hint, size);
      const auto extents = p.put_large(content, ++owner, hint);
      ASSERT_TRUE(extents) << size << " hint " << hint;
      EXPECT_EQ(*p.read(*extents), content) << size << " hint " << hint;
    }
  }
}

TEST(Placement, ADriveThatLeavesShrinksTheGeometryNotTheParity) {
  io::SimWorld world = formatted_world(6, 2);
  Process p(world);
  const std::string before = pattern(1, 2'500'000);
  const auto old = *p.put_large(before, 1, before.size());
  world.remove_drive(3);
  const std::string after = pattern(2, 2'500'000);
  const auto fresh = p.put_large(after, 2, after.size());
  ASSERT_TRUE(fresh) << fresh.error().describe();
  const auto last = *p.put_large(after, 3, after.size());
  const SegmentRecord record = p.record(last.front().segment);
  EXPECT_EQ(record.k, 3);
  EXPECT_EQ(record.m, 2);
  EXPECT_EQ(std::ranges::count(record.slots, 3), 0);
  EXPECT_EQ(*p.read(old), before);
  EXPECT_EQ(*p.read(*fresh), after);
}

TEST(Placement, WithFewerThanMPlusOneDrivesNothingIsWritten) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  world.remove_drive(0);
  world.remove_drive(1);
  const auto refused = p.put_large(pattern(1, 200'000), 1, 200'000);
  ASSERT_FALSE(refused);
  EXPECT_FALSE(p.put_small("x", 2));
}

TEST(Placement, ReducedRedundancyWritesWithTheParityThatIsLeft) {
  io::SimWorld world = formatted_world(3, 1);
  const std::string large = pattern(1, 300'000);
  std::vector<Extent> extents;
  Extent small;
  {
    Process p(world, {.allow_reduced_redundancy = true});
    const auto before = *p.put_large(large, 9, large.size());
    EXPECT_EQ(p.record(before.front().segment).m, 1);
    for (const unsigned drive : {0U, 1U}) {
      world.remove_drive(drive);
      ASSERT_TRUE(p.put_small("x", 8)) << "the drive is found to be gone";
      p.settle();  // the metadata gets a new mirror
    }
    small = p.put_small("on one drive", 1).value();
    extents = p.put_large(large, 2, large.size()).value();
    const SegmentRecord record = p.record(extents.front().segment);
    EXPECT_EQ(record.k, 1);
    EXPECT_EQ(record.m, 0);
    EXPECT_TRUE(p.meta->stats().writable);
  }
  world.reboot(3);
  world.restore_drive(0);
  world.restore_drive(1);
  Process p(world);
  EXPECT_EQ(p.drives->current_at_open(), std::vector<drives::Slot>{2});
  EXPECT_EQ(*p.read(small, 0, small.length), "on one drive");
  EXPECT_EQ(*p.read(extents), large);
  const auto full = *p.put_large(large, 3, large.size());
  EXPECT_EQ(p.record(full.front().segment).m, 1);
}

// The payload's drives all leave between place_small and the commit, and enough others are left to
// take the journal block.
TEST(Placement, ACommitWhosePayloadHasNoDriveLeftFails) {
  io::SimWorld world = formatted_world(6, 2);
  Process p(world);
  const Extent first = segment_off_the_mirrors(p);
  const std::vector<drives::Slot> slots = p.record(first.segment).slots;
  ASSERT_EQ(slots.size(), 3U);
  const Placed placed = p.must(p.store->place_small(as_bytes("gone before it was written")));
  ASSERT_EQ(placed.extent.segment, first.segment);
  for (const drives::Slot slot : slots) {
    [[maybe_unused]] const auto out = p.drives->eject(slot, Error(Errc::io_error, "test"));
  }
  ASSERT_EQ(p.drives->live_slots().size(), 3U);
  meta::Batch batch;
  const std::string key = meta::extent_ref_key(placed.extent, 2);
  batch.put(key, "");
  batch.fresh.push_back(placed.extent);
  const auto acked = p.run(p.meta->commit(std::move(batch)));
  ASSERT_FALSE(acked) << "acked without its payload on any live drive";
  EXPECT_EQ(acked.error().code(), Errc::io_error);
  EXPECT_FALSE(*p.run(p.meta->get(key)));
  // They are more than m: what is left takes no writes, and the failed one stays failed.
  const auto next = p.put_small("written", 3);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), Errc::read_only);
  EXPECT_FALSE(*p.run(p.meta->get(key)));
}

// Another worker ejects the drives of a record while the write to them is on its way.
TEST(Placement, ARecordOnDrivesThatHaveLeftDoesNotCount) {
  io::SimWorld world = formatted_world(6, 2);
  Process p(world);
  const Extent first = segment_off_the_mirrors(p);
  const Placed placed = p.must(p.store->place_small(as_bytes("on drives that leave")));
  ASSERT_EQ(placed.extent.segment, first.segment);
  meta::Batch batch;
  batch.put(meta::extent_ref_key(placed.extent, 2), "");
  batch.fresh.push_back(placed.extent);
  std::optional<Result<void>> acked;
  p.gate.closed = true;
  asio::co_spawn(p.io.get_executor(), p.meta->commit(std::move(batch)),
                 [&acked](std::exception_ptr, Result<void> r) { acked = std::move(r); });
  p.settle();
  ASSERT_FALSE(acked);
  for (const drives::Slot slot : p.record(first.segment).slots) {
    [[maybe_unused]] const auto out = p.drives->eject(slot, Error(Errc::io_error, "test"));
  }
  p.gate.open();
  p.settle();
  ASSERT_TRUE(acked);
  EXPECT_FALSE(*acked) << "acked with its payload on no live drive";
  EXPECT_FALSE(p.put_small("the next one", 3)) << "more drives have left than may be missing";
}

}  // namespace
}  // namespace outcrop::segment
