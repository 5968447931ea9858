// When data is spread over drives that were added, how far, and what keeps it from that.
#include "storage/engine/rebalancer.h"

#include "tests/unit/storage/engine/tree_rig.h"

namespace outcrop::engine {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kAfter = 600 * kSecond;

class RebalancerTest : public TreeRig {
 protected:
  /// Until clients get 507.
  void fill(std::size_t size) {
    Result<void> done;
    for (unsigned i = 0; i < 2'000 && done; ++i) {
      done = put("full/" + std::to_string(i), size);
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::no_space);
    p.seal();
    settle();
  }
  drives::Slot add_drive(std::uint64_t bytes = kDrive) {
    const drives::Slot slot = segment::join_new(p, world);
    world.set_size(slot, bytes);
    return slot;
  }
  Rebalancer make(std::int64_t after) {
    return Rebalancer(
        *p.store, *tree, *p.drives, clock, after, [this] { return p.meta->checkpoint(); },
        [this]() -> Task<std::uint64_t> {
          co_return co_await p.store->collect([this] { return p.meta->checkpoint(); });
        });
  }
  MoveStatus status() const { return rebalancer.status(); }
  void step() {
    const auto done = p.run(rebalancer.step(pace, 0));
    ASSERT_TRUE(done) << done.error().describe();
    settle();
    clock.now += kSecond;
  }
  /// Until there is nothing left to do.
  void work() {
    unsigned steps = 0;
    do {
      step();
    } while (++steps < 1'000 && status().state != MoveState::idle);
    EXPECT_EQ(status().state, MoveState::idle);
    std::printf("%u steps: %llu segments written anew, %llu shards moved, %llu MiB\n", steps,
                static_cast<unsigned long long>(rebalancer.segments()),
                static_cast<unsigned long long>(rebalancer.shards()),
                static_cast<unsigned long long>(rebalancer.bytes() >> 20));
  }
  void expect_rest() {
    const std::uint64_t before = rebalancer.bytes();
    for (unsigned i = 0; i < 20; ++i) {
      step();
      clock.now += 60 * kSecond;
      EXPECT_EQ(status().state, MoveState::idle);
    }
    EXPECT_EQ(rebalancer.bytes(), before);
  }
  std::vector<double> shares(const char* when) {
    std::vector<double> out;
    std::printf("%s:", when);
    for (const segment::DriveFill& drive : balance().drives) {
      out.push_back(drive.share());
      std::printf(" %.0f %%", 100 * drive.share());
    }
    std::printf("\n");
    return out;
  }
  segment::FullSpeed pace;
  Rebalancer rebalancer = make(kAfter);
};

// What is written anew takes its room twice until it is freed.
TEST_F(RebalancerTest, ClientsHaveRoomAllTheTime) {
  fill_some("large/", 4 << 20, 42);
  for (const double share : shares("before")) {
    ASSERT_GT(share, 0.5);
  }
  add_drive();
  clock.now += kSecond;
  step();
  clock.now += kAfter;
  for (unsigned i = 0; i < 100; ++i) {
    const auto done = p.run(rebalancer.step(pace, 0));  // nobody else collects garbage
    ASSERT_TRUE(done) << done.error().describe();
    const auto beside = put("beside/" + std::to_string(i), 200'000);
    ASSERT_TRUE(beside) << i << " steps: " << beside.error().describe();
    clock.now += kSecond;
  }
  EXPECT_EQ(status().segments, 0U);
  settle();
  step();
  EXPECT_EQ(status().state, MoveState::idle);
  EXPECT_GT(rebalancer.segments(), 20U);
}

TEST_F(RebalancerTest, AFullBoxOfLargeObjectsUsesTheNewDrive) {
  fill(3 << 20);
  add_drive();
  const std::vector<double> before = shares("before");
  EXPECT_GT(before.front(), 0.9);
  EXPECT_EQ(before.back(), 0);
  EXPECT_FALSE(put("refused", 3 << 20));
  step();
  EXPECT_EQ(status().state, MoveState::running) << "at once: nobody can write";
  EXPECT_TRUE(put("taken", 3 << 20));
  for (unsigned i = 0; i < 20 && status().state == MoveState::running; ++i) {
    step();
  }
  EXPECT_EQ(status().state, MoveState::waiting) << "the rest is not urgent";
  EXPECT_EQ(rebalancer.segments(), 0U);
  shares("while it waits");
  clock.now += kAfter;
  work();
  const std::vector<double> after = shares("after");
  EXPECT_LT(std::ranges::max(after) - std::ranges::min(after), 0.12);
  EXPECT_LT(std::ranges::max(after), 0.85);
  EXPECT_EQ(widths().size(), 1U);
  EXPECT_TRUE(widths().contains(6));
  expect_rest();
  EXPECT_TRUE(put("more", 3 << 20));
}

TEST_F(RebalancerTest, AFullBoxOfSmallObjectsUsesTheNewDrive) {
  fill(120'000);
  add_drive();
  EXPECT_EQ(shares("before").back(), 0);
  step();
  EXPECT_GT(rebalancer.shards(), 0U) << "at once: nobody can write";
  EXPECT_TRUE(put("taken", 120'000));
  clock.now += kAfter;
  work();
  const std::vector<double> after = shares("after");
  EXPECT_LT(std::ranges::max(after) - std::ranges::min(after), 0.12);
  EXPECT_EQ(rebalancer.segments(), 0U);
  expect_rest();
}

TEST_F(RebalancerTest, FurtherDrivesAreWaitedFor) {
  fill_some("a", 3 << 20, 50);
  const unsigned narrow = widths().at(5);
  step();
  EXPECT_EQ(status().state, MoveState::idle);
  add_drive();
  step();
  EXPECT_EQ(status().state, MoveState::waiting);
  EXPECT_GT(status().segments, 0U);
  EXPECT_GT(status().bytes_left, 0U);
  EXPECT_EQ(status().wait_seconds, 599);
  clock.now += kAfter / 2;
  add_drive();
  step();
  EXPECT_EQ(status().wait_seconds, 599);
  clock.now += kAfter;
  step();
  EXPECT_EQ(status().state, MoveState::running);
  EXPECT_GT(status().bytes_per_second, 0);
  EXPECT_TRUE(status().seconds_left);
  EXPECT_GT(status().bytes_done, 0U);
  work();
  EXPECT_TRUE(widths().contains(7));
  EXPECT_EQ(widths().size(), 1U);
  EXPECT_EQ(rebalancer.segments(), narrow) << "each once";
  shares("after");
  expect_rest();
}

TEST_F(RebalancerTest, DrivesOfDifferentSizesComeToRest) {
  world.set_size(0, 88 << 20);
  fill_some("large", 3 << 20, 60);
  fill_some("small", 120'000, 100);
  shares("before");
  clock.now += kAfter;
  work();
  add_drive(256 << 20);
  step();
  clock.now += kAfter;
  work();
  shares("with a large one");
  expect_rest();
  add_drive(72 << 20);
  step();
  clock.now += kAfter;
  work();
  shares("with a small one");
  expect_rest();
}

TEST_F(RebalancerTest, ALostDriveGoesFirst) {
  fill_some("a", 3 << 20, 30);
  add_drive();
  step();
  clock.now += kAfter;
  step();
  step();
  EXPECT_EQ(rebalancer.segments(), 2U);
  segment::lose(p, world, 1);
  const std::uint64_t before = rebalancer.bytes();
  ASSERT_TRUE(p.run(rebalancer.step(pace, 0)));
  EXPECT_EQ(status().state, MoveState::idle);
  EXPECT_EQ(rebalancer.bytes(), before);
  settle();
  expect_all("after the loss");
}

TEST_F(RebalancerTest, ADrainGoesFirst) {
  fill_some("a", 3 << 20, 30);
  add_drive();
  step();
  clock.now += kAfter;
  step();
  ASSERT_TRUE(p.drives->set_draining(1, true));
  const std::uint64_t before = rebalancer.bytes();
  ASSERT_TRUE(p.run(rebalancer.step(pace, 0)));
  EXPECT_EQ(status().state, MoveState::idle);
  EXPECT_EQ(rebalancer.bytes(), before);
  ASSERT_TRUE(p.drives->set_draining(1, false));
  step();
  EXPECT_EQ(status().state, MoveState::waiting);
  clock.now += kAfter;
  work();
  EXPECT_EQ(widths().size(), 1U);
}

// Between the objects of a segment.
TEST_F(RebalancerTest, ItGoesOnWhereItWasStopped) {
  fill_some("a", 3 << 20, 8);
  add_drive();
  step();
  clock.now += kAfter;
  segment::Cancelled stop;
  for (unsigned i = 0; i < 3; ++i) {
    const auto done = p.run(rebalancer.step(stop, 0));
    EXPECT_TRUE(done || done.error().code() == Errc::cancelled);
    clock.now += 10 * kSecond;
  }
  work();
  EXPECT_EQ(rebalancer.bytes(), 24U << 20) << "nothing twice";
  EXPECT_EQ(widths().size(), 1U);
}

TEST_F(RebalancerTest, WhatCompactionIsAtIsLeftToIt) {
  fill_some("a", 3 << 20, 1);
  ASSERT_EQ(widths().at(5), 1U);
  const SegmentId only = balance().segments.front().id;
  add_drive();
  step();
  clock.now += kAfter;
  ASSERT_TRUE(p.run(rebalancer.step(pace, only)));
  EXPECT_EQ(rebalancer.bytes(), 0U);
  clock.now += 60 * kSecond;
  work();
  EXPECT_EQ(rebalancer.segments(), 1U);
}

TEST_F(RebalancerTest, ItCanBeTurnedOff) {
  fill_some("a", 3 << 20, 8);
  add_drive();
  Rebalancer off = make(0);
  for (unsigned i = 0; i < 3; ++i) {
    clock.now += 100 * kAfter;
    ASSERT_TRUE(p.run(off.step(pace, 0)));
  }
  EXPECT_EQ(off.status().state, MoveState::idle);
  EXPECT_EQ(off.bytes(), 0U);
}

}  // namespace
}  // namespace outcrop::engine
