// When data is written anew over the drives that are left, and what keeps it from that.
#include "storage/engine/restriper.h"

#include "tests/support/hand_clock.h"
#include "tests/support/sim_engine.h"
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::engine {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kAfter = 1'800 * kSecond;

/// Five drives, of which two may be lost; an object lies over all of them.
class RestriperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(p.run(tree->open()));
    ASSERT_TRUE(p.run(tree->create_bucket("b", "", false)));
    put("large", 20 << 20);
    p.seal();
    repair(p);
    ASSERT_GT(p.store->survey().segments, 1U);
    ASSERT_EQ(p.store->survey().blocked, 0U);
  }
  void TearDown() override {
    EXPECT_EQ(*p.run(test::read_all(*tree, "b", "large")), test::pattern(1, 20 << 20));
    tree.reset();
    EXPECT_TRUE(p.close());
  }
  void put(const std::string& key, std::size_t size) {
    auto writer = p.run(test::filled_writer(*tree, "b", key, test::pattern(1, size)));
    ASSERT_TRUE(writer);
    ASSERT_TRUE(p.run(tree->put("b", key, *std::move(writer), {})));
  }
  Restriper make(std::int64_t after) {
    return Restriper(*p.store, *tree, *p.drives, clock, after, [this] { return room; });
  }
  MoveStatus status() const { return restriper.status(p.store->survey()); }
  void step() {
    const auto done = p.run(restriper.step(pace, 0));
    ASSERT_TRUE(done) << done.error().describe();
  }
  /// Until nothing is left to be written; garbage collection has not run yet.
  void work() {
    for (unsigned i = 0; i < 100 && status().segments > 0; ++i) {
      step();
    }
    EXPECT_EQ(status().segments, 0U);
  }

  io::SimWorld world = segment::formatted_world(5, 2);
  segment::Process p{world};
  test::HandClock clock{1};
  SeededRandom random{3};
  std::unique_ptr<ns::TreeNamespace> tree = ns::make_namespace(*p.meta, *p.store, clock, random);
  segment::FullSpeed pace;
  bool room = true;
  Restriper restriper = make(kAfter);
};

TEST_F(RestriperTest, AMissingDriveIsWaitedFor) {
  step();
  EXPECT_EQ(status().state, MoveState::idle);
  lose(p, world, 1);
  repair(p);
  step();
  EXPECT_EQ(status().state, MoveState::waiting);
  EXPECT_EQ(status().wait_seconds, 1'800);
  clock.now += kAfter - 1;
  step();
  EXPECT_EQ(status().state, MoveState::waiting);
  EXPECT_EQ(restriper.bytes(), 0U);
  clock.now += 1;
  const std::uint64_t segments = status().segments;
  step();
  clock.now += kSecond;
  EXPECT_EQ(status().state, MoveState::running);
  EXPECT_EQ(status().segments, segments - 1) << "one at a time: others have their turn";
  EXPECT_GT(status().bytes_done, 0U);
  EXPECT_GT(status().bytes_per_second, 0);
  EXPECT_TRUE(status().seconds_left);
  work();
  step();
  EXPECT_EQ(status().state, MoveState::running) << "its garbage is not freed yet";
  p.collect();
  EXPECT_EQ(p.store->survey().degraded, 0U);
  step();
  EXPECT_EQ(status().state, MoveState::idle);
  EXPECT_EQ(status().bytes_done, 0U);
  EXPECT_GE(restriper.bytes(), 20U << 20);
  EXPECT_EQ(restriper.segments(), segments);
}

// Less parity is left then: no time is to be lost.
TEST_F(RestriperTest, AnotherLossDoesNotMakeItWaitAgain) {
  lose(p, world, 1);
  repair(p);
  step();
  clock.now += kAfter - kSecond;
  lose(p, world, 3);
  repair(p);
  step();
  EXPECT_EQ(status().wait_seconds, 1);
  clock.now += kSecond;
  work();
  p.collect();
  EXPECT_EQ(p.store->survey().degraded, 0U);
}

TEST_F(RestriperTest, ADriveThatDrainsIsNotWaitedFor) {
  ASSERT_TRUE(p.drives->set_draining(2, true));
  repair(p);
  EXPECT_EQ(status().state, MoveState::running) << "also before the first step";
  work();
  p.collect();
  EXPECT_EQ(p.store->survey().moving, 0U);
  EXPECT_FALSE(p.store->survey().slots.contains(2));
}

TEST_F(RestriperTest, WhoDrainsADriveDoesNotWaitForAnother) {
  lose(p, world, 1);
  repair(p);
  step();
  EXPECT_EQ(status().state, MoveState::waiting);
  ASSERT_TRUE(p.drives->set_draining(2, true));
  EXPECT_EQ(status().state, MoveState::running) << "also before the next step";
  work();
  p.collect();
  EXPECT_EQ(p.store->survey().degraded, 0U);
  EXPECT_FALSE(p.store->survey().slots.contains(2));
}

TEST_F(RestriperTest, RoomThatClientsNeedIsLeftToThem) {
  ASSERT_TRUE(p.drives->set_draining(2, true));
  repair(p);
  room = false;
  step();
  EXPECT_EQ(status().state, MoveState::no_room);
  EXPECT_EQ(restriper.bytes(), 0U);
  room = true;
  step();
  EXPECT_EQ(status().state, MoveState::running);
  work();
}

TEST_F(RestriperTest, WhatCompactionIsAtIsLeftToIt) {
  ASSERT_TRUE(p.drives->set_draining(2, true));
  repair(p);
  const auto stranded = p.store->survey().stranded;
  for (std::size_t i = 1; i < stranded.size(); ++i) {
    ASSERT_TRUE(p.run(restriper.step(pace, stranded.front().segment)));
  }
  EXPECT_EQ(status().segments, 1U);
  ASSERT_TRUE(p.run(restriper.step(pace, stranded.front().segment)));
  EXPECT_EQ(status().segments, 1U);
  EXPECT_EQ(status().state, MoveState::running);
  step();
  EXPECT_EQ(status().segments, 0U);
}

// Between the objects of a segment and the parts of uploads in it.
TEST_F(RestriperTest, ItGoesOnWhereItWasStopped) {
  constexpr std::uint64_t kPart = 300'000;
  const auto upload = p.run(tree->create_upload("b", "m", {}, digest::Algorithm::none,
                                                digest::ChecksumType::full_object));
  ASSERT_TRUE(upload);
  auto writer = p.run(test::filled_writer(*tree, "b", "m", test::pattern(2, kPart)));
  ASSERT_TRUE(writer);
  ASSERT_TRUE(p.run(tree->put_part("b", "m", upload->upload_id, 1, *std::move(writer),
                                   std::string(32, 'a'), {})));
  p.seal();
  ASSERT_TRUE(p.drives->set_draining(2, true));
  repair(p);
  const std::uint64_t segments = status().segments;
  segment::Cancelled stop;
  unsigned stopped = 0;
  for (std::uint64_t i = 0; i < segments; ++i) {
    if (const auto done = p.run(restriper.step(stop, 0)); !done) {
      EXPECT_EQ(done.error().code(), Errc::cancelled);
      ++stopped;
    }
  }
  EXPECT_GT(stopped, 0U);
  EXPECT_EQ(status().segments, 1U) << "the one with the part is not done";
  work();
  EXPECT_EQ(restriper.bytes(), (20U << 20) + kPart) << "nothing twice";
  p.collect();
  EXPECT_EQ(p.store->survey().moving, 0U);
}

TEST_F(RestriperTest, FullDrivesAreWaitedFor) {
  ASSERT_TRUE(p.drives->set_draining(2, true));
  repair(p);
  for (unsigned drive = 0; drive < 5; ++drive) {
    world.set_space(drive, {.total_bytes = 1ULL << 30, .free_bytes = 0});
  }
  for (unsigned i = 0; i < 20 && status().state != MoveState::no_room; ++i) {
    step();
  }
  EXPECT_EQ(status().state, MoveState::no_room);
  for (unsigned drive = 0; drive < 5; ++drive) {
    world.set_space(drive, {.total_bytes = 1ULL << 30, .free_bytes = 1ULL << 29});
  }
  work();
}

TEST_F(RestriperTest, ItCanBeTurnedOff) {
  Restriper off = make(0);
  lose(p, world, 1);
  repair(p);
  clock.now += 100 * kAfter;
  ASSERT_TRUE(p.run(off.step(pace, 0)));
  const MoveStatus status = off.status(p.store->survey());
  EXPECT_EQ(status.state, MoveState::idle);
  EXPECT_EQ(status.segments, 0U);
  EXPECT_EQ(off.bytes(), 0U);
  EXPECT_GT(p.store->survey().blocked, 0U);
}

}  // namespace
}  // namespace outcrop::engine
