// Drives that do not answer: what is there is read at once, writes go on when they have left, and
// they are taken back whole.
#include <gtest/gtest.h>

#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

class HungDrives : public testing::Test {
 protected:
  static constexpr unsigned kDrives = 6, kParity = 2;

  void start() {
    engine.emplace(world, 1);
    const auto opened = engine->open();
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  void fill() {
    for (unsigned i = 0; i < 12; ++i) {
      ASSERT_TRUE(engine->put("small/" + std::to_string(i), pattern(i, 9'000)));
      ASSERT_TRUE(engine->put("large/" + std::to_string(i), pattern(100 + i, 700'000)));
    }
  }
  void check() {
    for (unsigned i = 0; i < 12; ++i) {
      const auto small = engine->get("small/" + std::to_string(i));
      ASSERT_TRUE(small) << small.error().describe();
      EXPECT_EQ(*small, pattern(i, 9'000));
      const auto large = engine->get("large/" + std::to_string(i));
      ASSERT_TRUE(large) << large.error().describe();
      EXPECT_EQ(*large, pattern(100 + i, 700'000));
    }
  }
  bool live(unsigned slot) { return engine->engine().stats().drives.at(slot).live; }
  /// The process ends while drives hang, and starts when they answer.
  void restart() {
    engine.reset();
    world.reboot(3);
    start();
  }

  io::SimWorld world = world_with_bucket(kDrives, kParity, 1);
  std::optional<SimEngine> engine;
};

TEST_F(HungDrives, ReadsGoElsewhere) {
  start();
  fill();
  world.hang_drive(1);
  world.hang_drive(4);
  check();
  EXPECT_GT(engine->engine().stats().hedged_reads, 0U);
  EXPECT_TRUE(live(1) && live(4)) << "nobody has judged";
  EXPECT_EQ(engine->engine().stats().corrupt_reads, 0U);
}

TEST_F(HungDrives, WritesGoOnWithoutThem) {
  for (const unsigned first : {0U, 3U}) {
    world = world_with_bucket(kDrives, kParity, 1);
    start();
    fill();
    engine->judge_drives();
    world.hang_drive(first);
    ASSERT_TRUE(engine->put("one", pattern(1, 9'000)));
    world.hang_drive(first + 1);
    const auto two = engine->put("two", pattern(2, 700'000));
    ASSERT_TRUE(two) << two.error().describe();
    ASSERT_TRUE(engine->put("three", pattern(3, 9'000)));
    check();
    EXPECT_EQ(*engine->get("two"), pattern(2, 700'000));
    EXPECT_FALSE(live(first));
    EXPECT_FALSE(live(first + 1));
    restart();
    check();
    EXPECT_EQ(*engine->get("one"), pattern(1, 9'000));
    EXPECT_EQ(*engine->get("two"), pattern(2, 700'000));
    EXPECT_EQ(*engine->get("three"), pattern(3, 9'000));
    EXPECT_TRUE(live(first)) << "it is back";
    ASSERT_TRUE(engine->run(engine->engine().repair()));
    EXPECT_EQ(engine->engine().stats().repair.degraded, 0U);
    engine.reset();
  }
}

TEST_F(HungDrives, BothAtOnceAndInTheMiddleOfAWrite) {
  start();
  fill();
  engine->judge_drives();
  world.hang_drive(0);
  world.hang_drive(5);
  for (unsigned i = 0; i < 6; ++i) {
    ASSERT_TRUE(engine->put("new/" + std::to_string(i), pattern(i, i % 2 == 0 ? 9'000 : 700'000)));
  }
  check();
  restart();
  check();
  for (unsigned i = 0; i < 6; ++i) {
    EXPECT_EQ(*engine->get("new/" + std::to_string(i)), pattern(i, i % 2 == 0 ? 9'000 : 700'000));
  }
}

constexpr unsigned kMostJudgements = 100'000;

/// A write that more drives hold up than may leave, and so many judgements meanwhile; the last of
/// them is the first that lets drives go.
Task<> write_and_judge(SimEngine& engine, std::vector<unsigned>& left, bool& written) {
  TaskGroup group(co_await asio::this_coro::executor);
  const auto write = [&]() -> Task<> {
    CO_TRY(auto writer,
           co_await filled_writer(engine.ns(), SimEngine::kBucket, "new", pattern(7, 700'000)));
    written =
        (co_await engine.ns().put(SimEngine::kBucket, "new", std::move(writer), {})).has_value();
    co_return ok();
  };
  group.spawn(write());
  for (unsigned i = 0; i < 100; ++i) {
    co_await asio::post(use_async);  // the write gets as far as it can
  }
  const auto live = [&] {
    const auto drives = engine.engine().stats().drives;
    return static_cast<unsigned>(std::ranges::count_if(drives, &engine::DriveStatus::live));
  };
  const unsigned all = live();
  for (unsigned i = 0; i < kMostJudgements && live() == all; ++i) {
    CO_TRYV(co_await engine.engine().judge_drives());
    left.push_back(live());
    co_await asio::post(use_async);
  }
  std::ignore = co_await group.join();
  co_return ok();
}

TEST_F(HungDrives, MoreThanMayLeaveGetMoreTimeAndThenClientsGetAnAnswer) {
  start();
  fill();
  for (const unsigned slot : {0U, 1U, 2U}) {
    world.hang_drive(slot);
  }
  std::vector<unsigned> left;
  bool written = true;
  ASSERT_TRUE(engine->run(write_and_judge(*engine, left, written)));
  EXPECT_FALSE(written);
  // How many more there are is the threads' affair: the count begins when the third is waited for,
  // and the drives have left when the write has seen to it.
  EXPECT_GE(left.size(), 300U) << "half a minute of judgements";
  EXPECT_LT(left.size(), kMostJudgements);
}

}  // namespace
}  // namespace outcrop::test
