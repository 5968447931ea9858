// What tests of repair share: objects of all kinds, drives that go and come, and the proof that any
// one of them may go.
#pragma once
#include <algorithm>

#include "tests/unit/storage/segment/rig.h"

namespace outcrop::segment {

/// Stops what it paces at its first turn.
class Cancelled final : public Pace {
 public:
  Task<> after(std::uint64_t) override { co_return fail(Errc::cancelled); }
};

struct Stored {
  std::vector<Extent> extents;
  std::string content;
};

/// Small records, a striped object of several stripes, and one with a short tail.
inline std::vector<Stored> put_some(Process& p, std::uint64_t seed) {
  std::vector<Stored> out;
  for (const std::size_t size : {100UL, 5'000UL, 70'001UL, 131'072UL}) {
    const std::string content = pattern(seed + size, size);
    out.push_back({{*p.put_small(content, seed * 100 + out.size())}, content});
  }
  for (const std::size_t size : {150'000UL, 2'500'001UL}) {
    const std::string content = pattern(seed + size, size);
    out.push_back({*p.put_large(content, seed * 100 + out.size(), size), content});
  }
  // Somebody else uses a little of each: what is there of the extents is all of them.
  meta::Batch shared;
  for (const Stored& stored : out) {
    const Extent& extent = stored.extents.front();
    shared.put(meta::extent_ref_key(extent, 5'000 + seed),
               meta::encode(meta::ExtentRef{extent.length, 1}));
  }
  EXPECT_TRUE(p.run(p.meta->commit(std::move(shared))));
  return out;
}

inline void expect_readable(Process& p, const std::vector<Stored>& all, std::string_view where) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto got = p.read(all[i].extents);
    ASSERT_TRUE(got) << where << ", object " << i << ": " << got.error().describe();
    EXPECT_EQ(*got, all[i].content) << where << ", object " << i;
  }
}

inline SegmentStore::PassResult repair(Process& p) {
  FullSpeed pace;
  return p.must(p.store->repair(pace, 77, [&p] { return p.meta->checkpoint(); }));
}

/// The machine stops, and comes up without each of its drives in turn.
inline void expect_any_drive_may_go(io::SimWorld& world, const std::vector<Stored>& all) {
  world.reboot(5);
  std::vector<unsigned> there;
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    if (world.open_disk(drive)) {
      there.push_back(drive);
    }
  }
  for (const unsigned drive : there) {
    io::SimWorld copy = world.clone(drive);
    copy.reboot(drive);
    copy.remove_drive(drive);
    Process p(copy);
    expect_readable(p, all, "without drive " + std::to_string(drive));
    EXPECT_EQ(p.store->stats().corrupt_chunks.load(), 0U) << "nothing that is there is damaged";
  }
}

inline void lose(Process& p, io::SimWorld& world, unsigned drive) {
  world.remove_drive(drive);
  ASSERT_TRUE(p.drives->eject(static_cast<drives::Slot>(drive), Error(Errc::io_error, "pulled")));
}

inline drives::Slot join_new(Process& p, io::SimWorld& world) {
  const unsigned drive = world.add_drive();
  SeededRandom random(drive);
  const auto slot = p.drives->join(*world.open_disk(drive), random);
  EXPECT_TRUE(slot) << slot.error().describe();
  return slot ? *slot : 0;
}

}  // namespace outcrop::segment
