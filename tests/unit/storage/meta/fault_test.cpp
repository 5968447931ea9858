// Lost drives, damaged bytes, and mirrors built anew.
#include "tests/unit/storage/meta/rig.h"

namespace outcrop::meta {
namespace {

void fill(Process& p, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; ++i) {
    ASSERT_TRUE(p.put("d" + std::to_string(i), "value" + std::to_string(i)));
  }
}

void expect_filled(Process& p, unsigned to) {
  ASSERT_TRUE(p.store) << p.error->describe();
  const auto all = p.all();
  EXPECT_EQ(all.size(), to);
  for (unsigned i = 0; i < to; ++i) {
    const auto at = all.find("d" + std::to_string(i));
    ASSERT_NE(at, all.end()) << i;
    EXPECT_EQ(at->second, "value" + std::to_string(i));
  }
}

TEST(FailingStart, ADriveThatCannotBeMarkedIsOutAFullOneIsNot) {
  io::SimWorld world(4);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 10);
  }
  world.reboot(1);
  world.add_error({.drive = 3, .step = io::SimStep::make_dir});
  {
    Process p(world);
    expect_filled(p, 10);
    EXPECT_FALSE(p.drives->live(3));
  }
  world.clear_errors();
  world.reboot(2);
  world.add_error({.drive = 2, .step = io::SimStep::make_dir, .error = Errc::no_space});
  Process p(world);
  expect_filled(p, 10);
  EXPECT_TRUE(p.drives->live(2));
}

// Nothing may be created anew because a drive was not heard.
TEST(FailingStart, SilenceIsNoProofThatNothingWasCreated) {
  io::SimWorld world(2);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 10);
  }
  world.reboot(1);
  for (const char* path : {"meta/created", "journal"}) {
    world.add_error({.step = io::SimStep::read, .path_part = path});
  }
  {
    Process p(world);
    EXPECT_FALSE(p.store);
  }
  world.clear_errors();
  world.reboot(2);
  Process p(world);
  expect_filled(p, 10);
}

// The last blocks are on m+1 drives only, and nothing else knows of them: a start that cannot read
// those takes none for gone.
TEST(FailingStart, JournalsThatCannotBeReadAreNotEmptyOnes) {
  for (const char* const what : {"journal", "journal/"}) {  // the directory, and what is in it
    io::SimWorld world(4);
    format(world, 1);
    {
      Process p(world);
      fill(p, 0, 10);
      world.crash_now();
    }
    world.reboot(1);
    for (const unsigned drive : {0U, 1U}) {
      world.add_error({.drive = drive, .step = io::SimStep::read, .path_part = what});
    }
    {
      Process p(world);
      EXPECT_FALSE(p.store);
      ASSERT_TRUE(p.error);
      EXPECT_EQ(p.error->code(), Errc::unavailable) << p.error->describe();
      world.crash_now();
    }
    world.clear_errors();
    world.reboot(2);
    world.add_error({.drive = 1, .step = io::SimStep::read, .path_part = what});
    {
      Process p(world);
      expect_filled(p, 10);
      world.crash_now();
    }
    world.clear_errors();
    world.reboot(3);
    Process p(world);
    expect_filled(p, 10);
  }
}

class LossTest : public ::testing::TestWithParam<std::pair<unsigned, unsigned>> {};

TEST_P(LossTest, AnyTwoDrivesAtRunTime) {
  io::SimWorld world(5);
  format(world, 2);
  const auto [first, second] = GetParam();
  {
    Process p(world);
    fill(p, 0, 40);
    world.remove_drive(first);
    fill(p, 40, 80);
    p.settle();
    world.remove_drive(second);
    fill(p, 80, 120);
    p.settle();
    expect_filled(p, 120);
    EXPECT_EQ(p.store->stats().mirrors, 3U) << "built anew on the drives that are left";
  }
  world.reboot(5);
  Process p(world);
  expect_filled(p, 120);
}

TEST_P(LossTest, AnyTwoDrivesWhileItIsDown) {
  io::SimWorld world(5);
  format(world, 2);
  {
    Process p(world);
    fill(p, 0, 100);
    world.crash_at(1, io::CrashMode::before);
  }
  world.reboot(3);
  world.remove_drive(GetParam().first);
  world.remove_drive(GetParam().second);
  Process p(world);
  expect_filled(p, 100);
  fill(p, 100, 120);
  p.settle();
  EXPECT_EQ(p.store->stats().mirrors, 3U);
  expect_filled(p, 120);
}

INSTANTIATE_TEST_SUITE_P(Pairs,
                         LossTest,
                         ::testing::Values(std::pair{0U, 1U},
                                           std::pair{1U, 2U},
                                           std::pair{2U, 0U},
                                           std::pair{0U, 3U},
                                           std::pair{4U, 1U},
                                           std::pair{3U, 4U}));

TEST(Faults, TooFewDrivesMakeItReadOnly) {
  io::SimWorld world(2);
  format(world, 1);
  Process p(world);
  fill(p, 0, 10);
  world.remove_drive(1);
  // The block in flight is on the drive that is left. The other one could start without knowing it.
  for (const char* const key : {"d10", "d11"}) {
    const auto refused = p.put(key, "value");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::read_only);
    EXPECT_FALSE(p.get(key));
  }
  expect_filled(p, 10);
}

std::vector<drives::Slot> missed(const Process& p) {
  std::vector<drives::Slot> out;
  const drives::EpochRecord record = p.drives->record();
  for (std::size_t slot = 0; slot < record.members.size(); ++slot) {
    if (record.members[slot].missed) {
      out.push_back(static_cast<drives::Slot>(slot));
    }
  }
  return out;
}

// A block that is on its way may be acknowledged with a copy on a drive that leaves meanwhile.
TEST(Faults, DrivesThatLeaveAreMissedUntilWhatIsOnItsWayIsInTheMirrors) {
  io::SimWorld world(6);
  format(world, 2);
  Process p(world);
  fill(p, 0, 10);
  p.backend->stop();
  std::optional<Result<void>> done;
  Batch batch;
  batch.put("d10", "value10");
  asio::co_spawn(p.io, p.store->commit(std::move(batch)),
                 [&](std::exception_ptr, Result<void> r) { done = std::move(r); });
  p.settle();
  for (const drives::Slot slot : {5, 4}) {
    EXPECT_TRUE(p.drives->eject(slot, Error(Errc::io_error)));
    p.settle();
    ASSERT_TRUE(run_on(p.io, p.store->checkpoint()));
    ASSERT_TRUE(run_on(p.io, p.store->checkpoint()));
  }
  EXPECT_EQ(missed(p), (std::vector<drives::Slot>{4, 5}));
  EXPECT_FALSE(done);
  p.backend->go_on();
  p.settle();  // nothing is committed any more, and nobody asks for a checkpoint
  ASSERT_TRUE(done && *done);
  EXPECT_TRUE(missed(p).empty());
}

// Nobody reads the mirrors that follow: only a scrub finds out.
TEST(Faults, AScrubReplacesADamagedMirrorThatNobodyReads) {
  io::SimWorld world(3);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 200);
    ASSERT_TRUE(p.close());
  }
  world.reboot(2);
  Process p(world);
  p.settle();
  ASSERT_TRUE(run_on(p.io, p.store->verify()));
  EXPECT_EQ(p.store->stats().mirrors_lost, 0U) << "there is nothing wrong yet";
  const auto follower = std::move(*world.open_disk(1));
  unsigned flipped = 0;
  for (const std::string& name : *follower->list("meta/0")) {
    if (name.ends_with(".sst")) {
      flipped += world.corrupt(1, "meta/0/" + name, 100, 8) ? 1 : 0;
    }
  }
  ASSERT_GT(flipped, 0U);
  ASSERT_TRUE(run_on(p.io, p.store->verify()));
  p.settle();
  EXPECT_EQ(p.store->stats().mirrors_lost, 1U);
  EXPECT_EQ(p.store->stats().mirrors, 2U) << "another one was built";
  expect_filled(p, 200);
}

// What is committed rarely may be in the journal alone for years.
TEST(Faults, BehindAScrubNothingIsInTheJournalAlone) {
  io::SimWorld world(3);
  format(world, 1);
  Process p(world);
  fill(p, 0, 200);
  ASSERT_TRUE(run_on(p.io, p.store->verify()));
  io::SimWorld killed = world.clone(2);
  killed.reboot(2);
  unsigned flipped = 0;
  for (unsigned drive = 0; drive < killed.drives(); ++drive) {
    const auto disk = std::move(*killed.open_disk(drive));
    for (const std::string& name : *disk->list("journal")) {
      flipped += killed.corrupt(drive, "journal/" + name, 0, 64 << 10) ? 1 : 0;
    }
  }
  ASSERT_GT(flipped, 1U);
  Process found(killed);
  expect_filled(found, 200);
}

TEST(Faults, ACorruptMirrorIsReplacedWithoutAWrongAnswer) {
  io::SimWorld world(3);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 200);
    ASSERT_TRUE(p.close());
  }
  {
    auto disk = std::move(*world.open_disk(0));
    unsigned flipped = 0;
    for (const std::string& name : *disk->list("meta/0")) {
      if (name.ends_with(".sst")) {
        flipped += world.corrupt(0, "meta/0/" + name, 100, 8) ? 1 : 0;
      }
    }
    ASSERT_GT(flipped, 0U);
  }
  Process p(world);
  expect_filled(p, 200);
  p.settle();
  EXPECT_GE(p.store->stats().mirrors_lost, 1U);
  EXPECT_EQ(p.store->stats().mirrors, 2U);
  fill(p, 200, 220);
  expect_filled(p, 220);
}

TEST(Faults, ADamagedJournalReplicaIsReadFromAnother) {
  io::SimWorld base(3);
  format(base, 1);
  {
    Process p(base);
    fill(p, 0, 12);
    base.crash_at(1, io::CrashMode::before);
  }
  base.reboot(9);
  for (std::uint64_t offset = 0; offset < 12 * kIoAlign; offset += kIoAlign) {
    io::SimWorld world = base.clone(offset);
    auto disk = std::move(*world.open_disk(0));
    for (const std::string& name : *disk->list("journal")) {
      world.corrupt(0, "journal/" + name, offset + 60, 4);
    }
    disk.reset();
    Process p(world);
    expect_filled(p, 12);
  }
}

TEST(Faults, ABlockThatIsLostEverywhereIsNotPassedOver) {
  io::SimWorld world(2);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 12);
    world.crash_at(1, io::CrashMode::before);
  }
  world.reboot(9);
  for (unsigned drive = 0; drive < 2; ++drive) {
    auto disk = std::move(*world.open_disk(drive));
    for (const std::string& name : *disk->list("journal")) {
      world.corrupt(drive, "journal/" + name, 4 * kIoAlign + 60, 4);
    }
  }
  Process p(world);
  ASSERT_FALSE(p.store);
  EXPECT_EQ(p.error->code(), Errc::corrupt);
}

TEST(Faults, AStaleMirrorIsNotASourceOfTruth) {
  io::SimWorld world(3);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 20);
    ASSERT_TRUE(p.close());
  }
  world.remove_drive(0);
  {
    Process p(world);
    expect_filled(p, 20);
    fill(p, 20, 60);
    ASSERT_TRUE(p.close());
  }
  world.restore_drive(0);
  Process p(world);
  expect_filled(p, 60);
}

TEST(Faults, APayloadThatNeverArrivedVoidsItsTransaction) {
  io::SimWorld world(2);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 3);
    Batch b;
    b.put("dpayload", "x");
    b.fresh.push_back(Extent{1, 8 * kIoAlign, kIoAlign, 77});  // named, never written
    ASSERT_TRUE(p.commit(std::move(b)));
    world.crash_at(1, io::CrashMode::before);
  }
  world.reboot(2);
  Process p(world);
  expect_filled(p, 3);
  EXPECT_GE(p.companion->verified, 1U);
}

// The drive stays, and with it whatever reached it: the block is in doubt until a later one passes
// over it.
TEST(Faults, ACommitThatFailsOnFullDrivesIsTakenBack) {
  for (const bool crash : {false, true}) {
    io::SimWorld world(3);
    format(world, 1);
    {
      Process p(world);
      fill(p, 0, 10);
      // One replica takes the block, the other has no room, and there is no room for a new file.
      world.add_error({.drive = 1,
                       .step = io::SimStep::write,
                       .path_part = "journal/",
                       .error = Errc::no_space});
      world.add_error(
          {.step = io::SimStep::prewrite, .path_part = "journal/", .error = Errc::no_space});
      world.add_error({.drive = 2,
                       .step = io::SimStep::write,
                       .path_part = "journal/",
                       .error = Errc::no_space});
      const auto refused = p.put("d-lost", "never acked");
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code(), Errc::no_space);
      EXPECT_FALSE(p.get("d-lost"));
      EXPECT_FALSE(p.store->stats().writable);
      EXPECT_EQ(p.put("d10", "value10").error().code(), Errc::unavailable);
      p.settle();
      EXPECT_EQ(p.put("d10", "value10").error().code(), Errc::unavailable) << "still full";
      p.settle();
      world.clear_errors();
      EXPECT_FALSE(p.put("d10", "value10")) << "this one makes it try again";
      p.settle();
      EXPECT_TRUE(p.store->stats().writable) << "without a restart";
      fill(p, 10, 30);
      expect_filled(p, 30);
      if (crash) {
        world.crash_at(1, io::CrashMode::before);
      }
    }
    world.reboot(4);
    Process p(world);
    expect_filled(p, 30);
  }
}

TEST(Faults, AFullDriveAloneNeitherLeavesNorStopsCommits) {
  io::SimWorld world(4);
  format(world, 1);
  Process p(world);
  fill(p, 0, 5);
  world.add_error({.drive = 1, .path_part = "journal/", .error = Errc::no_space});
  fill(p, 5, 60);
  expect_filled(p, 60);
  EXPECT_EQ(p.drives->live_slots().size(), 4U);
}

TEST(Faults, APayloadThatFindsNoRoomFailsItsCommitOnly) {
  io::SimWorld world(2);
  format(world, 1);
  {
    Process p(world);
    fill(p, 0, 3);
    world.add_error(
        {.step = io::SimStep::write, .path_part = "segments/", .error = Errc::no_space});
    Batch b;
    b.put("dpayload", "x");
    b.fresh.push_back(p.companion->place(8));
    EXPECT_FALSE(p.commit(std::move(b)));
    world.clear_errors();
    p.settle();
    fill(p, 3, 10);
    expect_filled(p, 10);
    world.crash_at(1, io::CrashMode::before);
  }
  world.reboot(2);
  Process p(world);
  expect_filled(p, 10);
}

}  // namespace
}  // namespace outcrop::meta
