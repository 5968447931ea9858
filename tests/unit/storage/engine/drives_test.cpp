// What an operator asks of the engine about drives, and what it says about them.
#include <gtest/gtest.h>

#include "storage/meta/tables.h"
#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

constexpr unsigned kNone = 999;

class EngineDrives : public testing::Test {
 protected:
  void start(io::SimWorld& world) {
    engine.emplace(world, 1);
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  void fill() {
    ASSERT_TRUE(engine->put("small", pattern(1, 9'000)));
    ASSERT_TRUE(engine->put("striped", pattern(2, 400'000)));
  }
  void stop() {
    ASSERT_TRUE(engine->close());
    engine.reset();
  }
  engine::DriveStatus drive(unsigned slot) {
    for (const engine::DriveStatus& d : engine->engine().stats().drives) {
      if (d.slot == slot) {
        return d;
      }
    }
    engine::DriveStatus none;
    none.slot = kNone;
    return none;
  }
  engine::RepairStatus repair() { return engine->engine().stats().repair; }
  engine::MoveStatus restripe() { return engine->engine().stats().restripe; }
  /// With one part; its id.
  std::string begin_upload(std::string_view key, const std::string& content) {
    ns::Namespace& ns = engine->ns();
    const auto upload = engine->run(ns.create_upload(
        SimEngine::kBucket, key, {}, digest::Algorithm::none, digest::ChecksumType::full_object));
    EXPECT_TRUE(upload);
    auto writer = engine->run(filled_writer(ns, SimEngine::kBucket, key, content));
    EXPECT_TRUE(writer);
    EXPECT_TRUE(engine->run(ns.put_part(SimEngine::kBucket, key, upload->upload_id, 1,
                                        *std::move(writer), std::string(32, 'a'), {})));
    return upload->upload_id;
  }
  static void complete_upload(SimEngine& in, std::string_view key, const std::string& id) {
    ns::CompleteRequest request;
    request.parts.push_back({1, std::string(32, 'a'), {}});
    const auto done =
        in.run(in.ns().complete_upload(SimEngine::kBucket, key, id, std::move(request)));
    EXPECT_TRUE(done) << done.error().describe();
  }

  std::optional<SimEngine> engine;
};

TEST_F(EngineDrives, AHealthyBoxMayLoseAnyDrive) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  for (unsigned slot = 0; slot < 3; ++slot) {
    EXPECT_TRUE(drive(slot).safe_to_pull) << drive(slot).reason;
  }
  stop();
}

// A small drive that metadata has filled does not end all writes while others have room for it.
TEST_F(EngineDrives, MetadataMovesFromAFullDriveToOneWithRoom) {
  constexpr std::uint64_t kTotal = std::uint64_t{1} << 30;
  const io::Space full{.total_bytes = kTotal, .free_bytes = 10 << 20};
  const io::Space roomy{.total_bytes = kTotal, .free_bytes = kTotal / 2};
  io::SimWorld world = world_with_bucket(4, 1, 1);
  start(world);
  fill();
  std::vector<unsigned> mirrors, others;
  for (unsigned slot = 0; slot < 4; ++slot) {
    (drive(slot).mirror ? mirrors : others).push_back(slot);
  }
  ASSERT_EQ(mirrors.size(), 2U);
  stop();
  world.reboot(2);
  for (const unsigned slot : {mirrors[0], others[0], others[1]}) {
    world.set_space(slot, full);
  }
  world.set_space(mirrors[1], roomy);
  start(world);
  EXPECT_TRUE(drive(mirrors[0]).mirror) << "there is nowhere to go";
  EXPECT_FALSE(engine->put("refused", pattern(3, 9'000)));
  stop();
  world.reboot(3);
  world.set_space(others[1], roomy);
  start(world);
  EXPECT_FALSE(drive(mirrors[0]).mirror);
  EXPECT_TRUE(drive(mirrors[1]).mirror);
  EXPECT_TRUE(drive(others[1]).mirror);
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  stop();
  world.reboot(4);
  start(world);
  EXPECT_TRUE(engine->put("taken", pattern(3, 9'000))) << "small ones: two drives have room";
  stop();
}

TEST_F(EngineDrives, AfterALossTheOthersAreNeeded) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  stop();
  world.reboot(2);
  world.remove_drive(1);
  start(world);
  EXPECT_FALSE(drive(1).live);
  EXPECT_TRUE(drive(1).safe_to_pull) << drive(1).reason;
  for (const unsigned slot : {0U, 2U}) {
    EXPECT_FALSE(drive(slot).safe_to_pull);
    EXPECT_NE(drive(slot).reason.find("could not be read without it"), std::string::npos)
        << drive(slot).reason;
  }
  EXPECT_GT(repair().degraded, 0U);
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_GT(repair().blocked, 0U) << "stripes over all drives have nowhere to go";
  EXPECT_EQ(repair().bytes_left, 0U);
  stop();
}

// Nobody brings a drive: what lay over all of them is written anew over those that are left, also
// what is of uploads that are not completed yet.
TEST_F(EngineDrives, WhatLacksADriveIsWrittenAnewOverTheOthers) {
  io::SimWorld world = world_with_bucket(4, 1, 1);
  start(world);
  fill();
  const std::string upload = begin_upload("parts", pattern(5, 300'000));
  stop();
  world.reboot(2);
  world.remove_drive(1);
  start(world);
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(restripe().state, engine::MoveState::waiting);
  EXPECT_GT(restripe().segments, 0U);
  EXPECT_EQ(restripe().segments, repair().blocked);
  EXPECT_GT(restripe().bytes_left, 0U);
  EXPECT_GT(restripe().wait_seconds, 1'700) << "the operator has half an hour";
  ASSERT_TRUE(engine->run(engine->engine().restripe()));
  EXPECT_EQ(restripe().segments, 0U);
  ASSERT_TRUE(engine->run(engine->engine().collect_garbage()));
  EXPECT_EQ(repair().blocked, 0U);
  EXPECT_EQ(repair().degraded, 0U);
  EXPECT_EQ(drive(1).shards, 0U);
  ASSERT_TRUE(engine->run(engine->engine().restripe())) << "there is nothing left";
  for (const unsigned slot : {0U, 2U, 3U}) {
    EXPECT_EQ(drive(slot).reason.find("could not be read without it"), std::string::npos);
  }
  ASSERT_TRUE(engine->run(engine->engine().remove_drive(1)));
  stop();
  for (const unsigned gone : {0U, 2U, 3U}) {
    io::SimWorld less = world.clone(gone);
    less.reboot(gone);
    less.remove_drive(gone);
    SimEngine found(less, 3);
    ASSERT_TRUE(found.open());
    EXPECT_EQ(*found.get("small"), pattern(1, 9'000));
    EXPECT_EQ(*found.get("striped"), pattern(2, 400'000));
    complete_upload(found, "parts", upload);
    EXPECT_EQ(*found.get("parts"), pattern(5, 300'000));
  }
}

// As large objects lie over all drives, there is no other one to go to.
TEST_F(EngineDrives, ADriveDrainsWithoutAnother) {
  io::SimWorld world = world_with_bucket(4, 1, 1);
  start(world);
  fill();
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(2, true)));
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(restripe().state, engine::MoveState::running) << "nobody is waited for";
  EXPECT_FALSE(drive(2).empty);
  ASSERT_TRUE(engine->run(engine->engine().restripe()));
  ASSERT_TRUE(engine->run(engine->engine().collect_garbage()));
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(repair().moving, 0U);
  EXPECT_TRUE(drive(2).empty);
  ASSERT_TRUE(engine->run(engine->engine().remove_drive(2)));
  stop();
  world.reboot(2);
  world.remove_drive(2);
  world.remove_drive(0);
  start(world);
  EXPECT_EQ(*engine->get("small"), pattern(1, 9'000));
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  stop();
}

// With as few drives as may be, anew is no better.
TEST_F(EngineDrives, WhatWouldNotGainParityIsLeftAlone) {
  io::SimWorld world = world_with_bucket(3, 2, 1);
  start(world);
  fill();
  stop();
  world.reboot(2);
  world.remove_drive(1);
  start(world);
  EXPECT_GT(repair().blocked, 0U);
  EXPECT_EQ(restripe().segments, 0U);
  EXPECT_EQ(restripe().state, engine::MoveState::idle);
  ASSERT_TRUE(engine->run(engine->engine().restripe()));
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  stop();
}

// The blank drive is in the configuration at the next start: nobody has to do anything.
TEST_F(EngineDrives, ABlankDriveInPlaceOfALostOneIsUsedAtStart) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  stop();
  world.reboot(2);
  world.remove_drive(1);
  world.add_drive();
  start(world);
  EXPECT_TRUE(drive(3).live);
  EXPECT_GT(repair().bytes_left, 0U);
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(repair().degraded, 0U);
  EXPECT_EQ(repair().bytes_left, 0U);
  EXPECT_EQ(drive(1).shards, 0U);
  EXPECT_TRUE(drive(0).safe_to_pull) << drive(0).reason;
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  // It is asked to be forgotten, and is.
  const std::string uuid = drive(1).uuid;
  ASSERT_TRUE(engine->run(engine->engine().remove_drive(1)));
  EXPECT_EQ(drive(1).slot, kNone);
  EXPECT_EQ(engine->forgotten(), std::vector{uuid});
  stop();
}

TEST_F(EngineDrives, AReplacedDriveIsForgottenWhenNothingIsMissingWithIt) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  stop();
  world.reboot(2);
  world.remove_drive(1);
  start(world);
  const std::string uuid = drive(1).uuid;
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(1, true)));
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(drive(1).slot, 1U) << "its shards are still missing";
  EXPECT_TRUE(engine->forgotten().empty());
  const unsigned blank = world.add_drive();
  ASSERT_TRUE(engine->run(engine->engine().add_drive(*world.open_disk(blank))));
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(drive(1).slot, kNone);
  EXPECT_EQ(engine->forgotten(), std::vector{uuid}) << "whoever keeps its path must hear of it";
  stop();
}

// One of two drives does not come back from a power cut: what is there can be read, and a new drive
// makes the store whole and writable again.
TEST_F(EngineDrives, HalfOfTwoDrivesIsReadOnlyUntilThereIsAnother) {
  io::SimWorld box(1);
  const auto state_dir = *box.open_disk(0);
  io::SimWorld world = world_with_bucket(2, 1, 1);
  const auto begin = [&] {
    engine.emplace(world, 1, state_dir.get());
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  };
  begin();
  fill();
  engine.reset();  // killed
  world.reboot(2);
  world.remove_drive(0);
  begin();
  EXPECT_FALSE(engine->engine().stats().writable);
  EXPECT_EQ(*engine->get("small"), pattern(1, 9'000));
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  EXPECT_EQ(engine->put("new", "x").error().code(), Errc::read_only);
  EXPECT_FALSE(drive(1).safe_to_pull);
  const unsigned blank = world.add_drive();
  ASSERT_TRUE(engine->run(engine->engine().add_drive(*world.open_disk(blank))));
  ASSERT_TRUE(engine->put("new", "x"));
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_EQ(repair().degraded, 0U);
  EXPECT_TRUE(engine->engine().stats().writable);
  stop();
  world.reboot(3);
  world.remove_drive(1);  // only the new one is left
  begin();
  EXPECT_EQ(*engine->get("small"), pattern(1, 9'000));
  EXPECT_EQ(*engine->get("striped"), pattern(2, 400'000));
  EXPECT_EQ(*engine->get("new"), "x");
  stop();
}

// Also by one that could not keep it at the start, and did not run until it was due.
TEST_F(EngineDrives, TheTimeIsKeptAtAStop) {
  io::SimWorld box(1);
  const auto state_dir = *box.open_disk(0);
  io::SimWorld world = world_with_bucket(2, 1, 1);
  const SystemClock machine;
  FlooredClock clock(machine, [] { return false; });
  const auto begin = [&](FlooredClock* floor) {
    engine.emplace(world, 1, state_dir.get());
    engine->keep_time(floor);
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  };
  const auto kept = [&] {
    const std::string key = meta::table_key(meta::Table::system, "time");
    return engine->run(engine->engine().meta().get(key)).value().has_value();
  };
  begin(nullptr);
  engine.reset();  // killed
  world.reboot(2);
  world.remove_drive(0);
  begin(&clock);
  ASSERT_FALSE(engine->engine().stats().writable);
  const unsigned blank = world.add_drive();
  ASSERT_TRUE(engine->run(engine->engine().add_drive(*world.open_disk(blank))));
  ASSERT_TRUE(engine->engine().stats().writable);
  EXPECT_FALSE(kept());
  stop();
  begin(nullptr);
  EXPECT_TRUE(kept());
  stop();
}

// Drives are looked after all the same.
TEST_F(EngineDrives, AStoreThatIsOpenedForReadingTakesWritesOnceItIsTold) {
  io::SimWorld world = world_with_bucket(4, 1, 1);
  start(world);
  fill();
  stop();
  engine.emplace(world, 2);
  ASSERT_TRUE(engine->open(true));
  EXPECT_FALSE(engine->engine().stats().writable);
  EXPECT_EQ(*engine->get("small"), pattern(1, 9'000));
  EXPECT_EQ(engine->put("new", pattern(3, 400'000)).error().code(), Errc::read_only);
  EXPECT_EQ(engine->remove("small").error().code(), Errc::read_only);
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(0, true)));
  EXPECT_TRUE(drive(0).draining);
  engine->engine().resume();
  EXPECT_TRUE(engine->engine().stats().writable);
  ASSERT_TRUE(engine->put("new", pattern(3, 400'000)));
  engine->engine().resume();  // does nothing
  EXPECT_EQ(*engine->get("new"), pattern(3, 400'000));
  stop();
}

TEST_F(EngineDrives, WhatIsNeededIsNotRemoved) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  const auto refused = [&](Result<void> r, Errc code, const char* part) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code(), code);
    EXPECT_NE(r.error().detail().find(part), std::string_view::npos) << r.error().detail();
  };
  refused(engine->run(engine->engine().remove_drive(1)), Errc::conflict, "drain it first");
  refused(engine->run(engine->engine().remove_drive(9)), Errc::not_found, "no drive in slot 9");
  refused(engine->run(engine->engine().drain_drive(200, true)), Errc::not_found, "slot 200");
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(1, true)));
  refused(engine->run(engine->engine().drain_drive(2, true)), Errc::conflict, "add a drive first");
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  refused(engine->run(engine->engine().remove_drive(1)), Errc::conflict, "it still holds");
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(1, false)));
  EXPECT_FALSE(drive(1).draining);
  stop();
}

TEST_F(EngineDrives, ADrainedDriveSaysSo) {
  io::SimWorld world = world_with_bucket(3, 1, 1);
  start(world);
  fill();
  const unsigned blank = world.add_drive();
  ASSERT_TRUE(engine->run(engine->engine().add_drive(*world.open_disk(blank))));
  ASSERT_TRUE(engine->run(engine->engine().drain_drive(0, true)));
  EXPECT_FALSE(drive(0).empty);
  ASSERT_TRUE(engine->run(engine->engine().repair()));
  EXPECT_TRUE(drive(0).empty);
  EXPECT_TRUE(drive(0).safe_to_pull);
  EXPECT_NE(drive(0).reason.find("drained"), std::string::npos);
  EXPECT_FALSE(drive(0).mirror);
  ASSERT_TRUE(engine->run(engine->engine().remove_drive(0)));
  world.remove_drive(0);
  EXPECT_EQ(*engine->get("small"), pattern(1, 9'000));
  stop();
}

}  // namespace
}  // namespace outcrop::test
