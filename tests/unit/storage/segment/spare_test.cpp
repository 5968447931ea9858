// Spare shard files that are made in parts, with a crash and an error at every step of it.
#include <gtest/gtest.h>

#include "storage/segment/spare_pool.h"
#include "tests/unit/storage/segment/rig.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kPart = drives::Stock::kPartBytes;
constexpr std::uint64_t kShard = 2 * kPart + (1 << 20);  // three parts, the last one short

/// One process that has nothing but spares.
class Spares {
 public:
  explicit Spares(io::SimWorld& world, std::size_t workers = 1)
      : x_drives(*drives::DriveSet::open(world.open_disks())),
        context(*x_drives,
                x_pool,
                x_random,
                std::vector<asio::io_context*>(workers, &x_io),
                {},
                kShard),
        pool(context) {}
  io::Disk& disk(drives::Slot slot) { return *x_drives->disk(slot); }
  std::uint64_t written(drives::Slot slot) { return disk(slot).stats().bytes_written.load(); }
  bool whole(const std::string& path) {
    const auto file = disk(0).open(path, io::Access::read, io::Cache::buffered);
    if (!file || *(*file)->size() != kShard || !*(*file)->whole()) {
      return false;
    }
    std::string content(kShard, 'x');
    const auto got = (*file)->read_sync(0, std::as_writable_bytes(std::span(content)));
    return got && *got == kShard && content.find_first_not_of('\0') == std::string::npos;
  }

 private:
  asio::io_context x_io;
  BlockingPool x_pool{0};
  SeededRandom x_random{3};
  std::unique_ptr<drives::DriveSet> x_drives;

 public:
  Context context;
  SparePool pool;
};

io::SimWorld world_of_three() {
  io::SimWorld world = formatted_world(3, 1);
  world.reboot(1);
  return world;
}

TEST(Spares, OneIsThereOnceAllItsPartsAre) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  EXPECT_EQ(*s.pool.add_part(0, 1), true);
  EXPECT_EQ(*s.pool.add_part(0, 1), true);
  EXPECT_EQ(s.pool.count(0), 0U);
  EXPECT_EQ(*s.pool.add_part(0, 1), true);
  EXPECT_EQ(s.pool.count(0), 1U);
  EXPECT_EQ(*s.pool.add_part(0, 1), false) << "that is enough";
  const auto names = *s.disk(0).list("spare");
  ASSERT_EQ(names.size(), 1U);
  EXPECT_TRUE(s.whole("spare/" + names.front()));
  EXPECT_EQ(s.pool.count(1), 0U);
}

TEST(Spares, WhoNeedsOneGoesOnWithWhatWasBegun) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  const std::uint64_t before = s.written(0);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  ASSERT_TRUE(s.pool.take(0, "segments/x", kShard));
  EXPECT_TRUE(s.whole("segments/x"));
  EXPECT_EQ(s.written(0) - before, kShard) << "no byte twice";
  EXPECT_TRUE(s.disk(0).list("spare")->empty());
  ASSERT_TRUE(s.pool.take(0, "segments/y", kShard));
  EXPECT_TRUE(s.whole("segments/y"));
}

TEST(Spares, WhoFindsNoneSaysSoOnce) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  while (*s.pool.add_part(0, 1)) {
  }
  ASSERT_TRUE(s.pool.take(0, "segments/x", kShard));
  EXPECT_FALSE(s.pool.take_missed(0)) << "there was one";
  ASSERT_TRUE(s.pool.take(0, "segments/y", kShard));
  EXPECT_TRUE(s.pool.take_missed(0));
  EXPECT_FALSE(s.pool.take_missed(0)) << "said already";
}

TEST(Spares, WhatWasBegunAndHasVanishedIsBegunAnew) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  ASSERT_TRUE(s.disk(0).remove("spare/" + s.disk(0).list("spare")->front()));
  ASSERT_TRUE(s.pool.take(0, "segments/x", kShard));
  EXPECT_TRUE(s.whole("segments/x"));
}

TEST(Spares, WhatWasBegunTakesNoRoomTwice) {
  io::SimWorld world = world_of_three();
  constexpr std::uint64_t kTotal = std::uint64_t{4} << 30;
  world.set_size(0, kTotal);
  Spares s(world);
  const std::uint64_t before = *s.pool.room(0);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  EXPECT_EQ(*s.pool.room(0), before);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  ASSERT_TRUE(s.pool.add_part(0, 1));
  ASSERT_EQ(s.pool.count(0), 1U);
  EXPECT_EQ(*s.pool.room(0), before);
}

TEST(Spares, OneThatWasBegunGivesWayToMetadata) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  constexpr std::uint64_t kTotal = std::uint64_t{4} << 30;
  world.set_space(0, {.total_bytes = kTotal, .free_bytes = metadata_share(kTotal) / 2});
  EXPECT_EQ(*s.pool.add_part(0, 1), false);
  EXPECT_TRUE(s.disk(0).list("spare")->empty());
  EXPECT_EQ(s.pool.take(0, "segments/x", kShard).error().code(), Errc::no_space);
}

TEST(Spares, ADriveThatIsFullHalfwayKeepsNothing) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  ASSERT_TRUE(s.pool.add_part(0, 1));
  world.add_error({.drive = 0, .step = io::SimStep::write, .error = Errc::no_space, .once = true});
  EXPECT_EQ(*s.pool.add_part(0, 1), false);
  EXPECT_TRUE(s.disk(0).list("spare")->empty());
  ASSERT_TRUE(s.pool.take(0, "segments/x", kShard));
}

TEST(Spares, ADriveThatFailsSaysSoAndNothingIsBegunAnyMore) {
  io::SimWorld world = world_of_three();
  Spares s(world);
  world.add_error({.drive = 0, .step = io::SimStep::sync, .once = true});
  EXPECT_EQ(s.pool.add_part(0, 1).error().code(), Errc::io_error);
  EXPECT_EQ(*s.pool.add_part(0, 1), true) << "another one";
}

// When a drive leaves, each worker wants two new segments at once.
TEST(Spares, AsManyAreWantedAsWorkersMayNeedAtOnce) {
  io::SimWorld world = world_of_three();
  Spares four(world, 4);
  const auto wanted = [&four](std::uint64_t total) {
    return four.pool.wanted({.total_bytes = total, .free_bytes = total});
  };
  EXPECT_EQ(wanted(std::uint64_t{1} << 40), 8U);
  EXPECT_EQ(wanted(64 << 20), 2U) << "a small drive is not filled with them";
  EXPECT_EQ(wanted(5 * 32 * kShard), 5U);
}

TEST(Spares, ACrashAtAnyStepLeavesWholeOnesAlone) {
  const io::SimWorld formatted = world_of_three();
  const auto make_and_take = [](Spares& s) -> Result<void> {
    for (bool more = true; more;) {
      TRY(more, s.pool.add_part(0, 1));
    }
    TRYV(s.pool.add_part(0, 2));
    TRYV(s.pool.take(0, "segments/x", kShard));
    return s.pool.take(0, "segments/y", kShard);
  };
  unsigned states = 0;
  for (const auto mode : {io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn}) {
    for (std::uint64_t at = 1;; ++at) {
      io::SimWorld world = formatted.clone(at);
      {
        Spares s(world);
        world.crash_at(at, mode);
        const auto done = make_and_take(s);
        if (!world.crashed()) {
          ASSERT_TRUE(done) << done.error().describe();
          break;
        }
      }
      ++states;
      world.reboot(at);
      Spares s(world);
      ASSERT_TRUE(s.pool.load(0));
      const auto names = *s.disk(0).list("spare");
      EXPECT_EQ(names.size(), s.pool.count(0)) << "step " << at;
      for (const std::string& name : names) {
        EXPECT_TRUE(s.whole("spare/" + name)) << "step " << at;
      }
      for (const char* const path : {"segments/x", "segments/y"}) {
        EXPECT_TRUE(!*s.disk(0).exists(path) || s.whole(path)) << path << ", step " << at;
      }
    }
  }
  EXPECT_GT(states, 60U);
}

}  // namespace
}  // namespace outcrop::segment
