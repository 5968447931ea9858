// Journal files that are made ahead of need, with a crash at every step of it.
#include "storage/meta/journal_files.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/meta/rig.h"

namespace outcrop::meta {
namespace {

constexpr std::uint64_t kPart = drives::Stock::kPartBytes;
constexpr std::uint64_t kFile = kPart + (1 << 20);  // two parts
constexpr std::uint64_t kTotal = std::uint64_t{4} << 30;

MetaConfig config() {
  MetaConfig c = small_config();
  c.journal_file_bytes = kFile;
  return c;
}

/// One process that has nothing but journal files.
struct Journals {
  explicit Journals(io::SimWorld& world, std::size_t workers = 1)
      : drives(*drives::DriveSet::open(world.open_disks())), files(*drives, config(), workers) {
    const auto adopted = files.adopt(1);
    EXPECT_TRUE(adopted) << adopted.error().describe();
  }
  io::Disk& disk(drives::Slot slot) { return *drives->disk(slot); }
  void fill(drives::Slot slot, std::size_t wanted) {
    for (bool more = true; more;) {
      const auto added = files.add_part(slot, wanted);
      ASSERT_TRUE(added) << added.error().describe();
      more = *added;
    }
  }
  std::set<drives::Slot> prepared_on(unsigned worker) {
    auto generation = files.prepare(worker);
    EXPECT_TRUE(generation);
    std::set<drives::Slot> out;
    for (const JournalFile& file : (*generation)->replicas) {
      EXPECT_EQ(*file.file->size(), kFile);
      EXPECT_TRUE(*file.file->whole());
      out.insert(file.slot);
    }
    files.retire(*std::move(generation));
    return out;
  }

  std::unique_ptr<drives::DriveSet> drives;
  JournalFiles files;
};

io::SimWorld world_of(unsigned drives) {
  io::SimWorld world(drives);
  format(world, 1);
  for (unsigned i = 0; i < drives; ++i) {
    world.set_space(i, {.total_bytes = kTotal, .free_bytes = kTotal});
  }
  return world;
}

TEST(JournalStock, AFileIsFreeOnceAllItsPartsAreWritten) {
  io::SimWorld world = world_of(3);
  Journals j(world);
  EXPECT_EQ(*j.files.add_part(0, 1), true);
  EXPECT_EQ(j.files.count(0), 0U);
  EXPECT_EQ(*j.files.add_part(0, 1), true);
  EXPECT_EQ(j.files.count(0), 1U);
  EXPECT_EQ(*j.files.add_part(0, 1), false) << "that is enough";
}

// Making a file takes until all of it is written, and commits wait for it.
TEST(JournalStock, AGenerationTakesWhatIsThere) {
  io::SimWorld world = world_of(4);
  Journals j(world);
  j.fill(1, 1);
  j.fill(3, 1);
  const std::uint64_t before = j.disk(1).stats().bytes_written + j.disk(3).stats().bytes_written;
  EXPECT_EQ(j.prepared_on(0), (std::set<drives::Slot>{1, 3})) << "and not 0 and 1";
  EXPECT_EQ(j.disk(1).stats().bytes_written + j.disk(3).stats().bytes_written, before);
  EXPECT_EQ(j.prepared_on(0), (std::set<drives::Slot>{0, 1})) << "when nothing is there, in turn";
  EXPECT_EQ(j.prepared_on(2), (std::set<drives::Slot>{2, 3}));
}

TEST(JournalStock, WhoFindsNoneSaysSoOnce) {
  io::SimWorld world = world_of(2);
  Journals j(world);
  j.fill(1, 1);
  j.prepared_on(0);
  EXPECT_TRUE(j.files.take_missed(0));
  EXPECT_FALSE(j.files.take_missed(0)) << "said already";
  EXPECT_FALSE(j.files.take_missed(1)) << "it had one";
}

// The generation in use, and the next one, of each worker may lie on a drive that leaves.
TEST(JournalStock, AsManyAreWantedAsADriveMayTakeAlong) {
  io::SimWorld world = world_of(5);
  Journals two(world, 2);
  const auto wanted = [&two](std::uint64_t total) {
    return two.files.wanted({.total_bytes = total, .free_bytes = total});
  };
  EXPECT_EQ(wanted(std::uint64_t{1} << 40), 2U) << "2 workers, 2 generations, 2 copies: 8, on 4";
  EXPECT_EQ(wanted(32 * kFile), 1U);
  EXPECT_EQ(wanted(16 * kFile), 0U) << "a small drive";
}

TEST(JournalStock, ADriveThatGetsFullKeepsNone) {
  io::SimWorld world = world_of(3);
  Journals j(world);
  const auto names = j.disk(0).list("journal")->size();
  ASSERT_TRUE(j.files.add_part(0, 1));
  world.set_space(0, {.total_bytes = kTotal, .free_bytes = kTotal / 5});
  EXPECT_EQ(*j.files.add_part(0, 1), false);
  EXPECT_EQ(j.disk(0).list("journal")->size(), names);
}

TEST(JournalStock, WhatADriveHadIsForgottenWithIt) {
  io::SimWorld world = world_of(3);
  Journals j(world);
  j.fill(0, 1);
  ASSERT_TRUE(j.files.add_part(0, 2));
  ASSERT_TRUE(j.drives->eject(0, Error(Errc::io_error, "pulled")));
  j.files.forget(0);
  EXPECT_EQ(j.files.count(0), 0U);
  EXPECT_EQ(*j.files.add_part(0, 2), false);
  EXPECT_EQ(j.prepared_on(0), (std::set<drives::Slot>{1, 2}));
}

TEST(JournalStock, ADriveThatFailsSaysSo) {
  io::SimWorld world = world_of(3);
  Journals j(world);
  world.add_error({.drive = 0, .step = io::SimStep::sync, .once = true});
  EXPECT_EQ(j.files.add_part(0, 1).error().code(), Errc::io_error);
  EXPECT_EQ(*j.files.add_part(0, 1), true) << "another one";
}

TEST(JournalStock, ACrashAtAnyStepLeavesWholeFilesOrNone) {
  const io::SimWorld formatted = world_of(3);
  unsigned states = 0;
  for (const auto mode : {io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn}) {
    for (std::uint64_t at = 1;; ++at) {
      io::SimWorld world = formatted.clone(at);
      {
        Journals j(world);
        world.crash_at(at, mode);
        Result<bool> more = true;
        for (unsigned i = 0; i < 4 && more; ++i) {
          more = j.files.add_part(0, 2);
        }
        if (!world.crashed()) {
          ASSERT_TRUE(more) << more.error().describe();
          break;
        }
      }
      ++states;
      world.reboot(at);
      Journals j(world);
      const auto names = *j.disk(0).list("journal");
      EXPECT_EQ(names.size(), j.files.count(0)) << "step " << at;
      for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(j.prepared_on(0), (std::set<drives::Slot>{0, 1})) << "step " << at;
      }
    }
  }
  EXPECT_GT(states, 30U);
}

}  // namespace
}  // namespace outcrop::meta
