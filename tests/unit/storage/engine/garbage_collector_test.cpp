// When garbage collection runs, for whom, and what it means to who has no room.
#include "storage/engine/garbage_collector.h"

#include <optional>

#include "tests/support/hand_clock.h"
#include "tests/support/sim_engine.h"

namespace outcrop::engine {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kDrive = 64 << 20;

/// Runs end when the test says so, each with a number of its own of freed segments.
class GarbageCollectorTest : public testing::Test {
 protected:
  Task<std::uint64_t> collect() {
    ++begun;
    co_return co_await suspend<std::uint64_t>(
        [this](Resume<std::uint64_t> r) { running = std::move(r); });
  }
  void end(Result<std::uint64_t> result) {
    ASSERT_TRUE(running);
    std::exchange(running, {})(std::move(result));
    io.poll();
  }
  template <class T>
  void begin(Task<T> task, std::vector<std::optional<T>>& to) {
    asio::co_spawn(io.get_executor(), std::move(task), [&to](std::exception_ptr, Result<T> r) {
      to.push_back(r ? std::optional<T>(*r) : std::nullopt);
    });
    io.poll();
  }

  asio::io_context io{1};
  asio::executor_work_guard<Executor> guard{io.get_executor()};
  test::HandClock clock{1};
  unsigned begun = 0;
  Resume<std::uint64_t> running;
  GarbageCollector collector{io.get_executor(), clock, [this] { return collect(); }};
  std::vector<std::optional<std::uint64_t>> freed;  ///< what was answered; empty: an error
  std::vector<std::optional<bool>> room;
};

TEST_F(GarbageCollectorTest, WhoAsksDuringARunSharesTheNext) {
  for (unsigned i = 0; i < 3; ++i) {
    begin(collector.run(), freed);
  }
  EXPECT_EQ(begun, 1U) << "one at a time";
  end(4);
  EXPECT_EQ(freed, (std::vector<std::optional<std::uint64_t>>{4}));
  EXPECT_EQ(begun, 2U) << "what became garbage since may have been missed";
  begin(collector.run(), freed);
  end(5);
  EXPECT_EQ(begun, 3U);
  end(6);
  ASSERT_EQ(freed.size(), 4U);
  EXPECT_EQ(freed.back(), 6U);
  EXPECT_EQ(begun, 3U);
}

TEST_F(GarbageCollectorTest, AFullStoreIsNotSearchedAllTheTime) {
  begin(collector.make_room(), room);
  begin(collector.make_room(), room);
  clock.now += kSecond / 2;
  end(0);
  end(0);
  EXPECT_EQ(room, (std::vector<std::optional<bool>>{false, false}));
  begin(collector.make_room(), room);
  EXPECT_EQ(room.size(), 3U) << "it looked just now";
  EXPECT_EQ(begun, 2U);
  clock.now += kSecond;
  begin(collector.make_room(), room);
  EXPECT_EQ(begun, 3U);
  clock.now += 2 * kSecond;
  end(0);
  clock.now += 17 * kSecond;
  begin(collector.make_room(), room);
  EXPECT_EQ(begun, 3U) << "what takes long is done rarely";
  clock.now += kSecond;
  begin(collector.make_room(), room);
  end(2);
  EXPECT_EQ(room.back(), true);
  begin(collector.make_room(), room);
  EXPECT_EQ(begun, 5U) << "where one finds something there may be more";
  end(fail(Errc::io_error, "a drive"));
  EXPECT_EQ(room.back(), std::nullopt);
}

TEST_F(GarbageCollectorTest, WhoWantsARunGetsOne) {
  begin(collector.make_room(), room);
  end(0);
  begin(collector.run(), freed);
  EXPECT_EQ(begun, 2U) << "however short ago the last one found nothing";
  end(1);
  EXPECT_EQ(freed.back(), 1U);
}

// Nothing else collects garbage here.
TEST(MakingRoom, WhatIsWrittenOverAgainHasRoom) {
  io::SimWorld world = test::world_with_bucket(5, 2, 1);
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    world.set_size(drive, kDrive);
  }
  test::SimEngine engine(world, 1);
  ASSERT_TRUE(engine.open());
  std::uint64_t written = 0;
  for (unsigned i = 0; i < 400; ++i) {
    const std::string content = test::pattern(i, i % 2 == 0 ? 3 << 20 : 60'000);
    const auto done = engine.put("key" + std::to_string(i % 4), content);
    ASSERT_TRUE(done) << i << ": " << done.error().describe();
    written += content.size();
  }
  EXPECT_GT(written, 5 * kDrive) << "else there was room without it";
  unsigned kept = 0;
  Result<void> done;
  while (done && kept < 200) {
    done = engine.put("kept" + std::to_string(kept), test::pattern(kept, 3 << 20));
    ++kept;
  }
  ASSERT_FALSE(done) << "what is needed is not freed";
  EXPECT_EQ(done.error().code(), Errc::no_space);
  EXPECT_EQ(engine.get("key2"), test::pattern(398, 3 << 20));
  EXPECT_TRUE(engine.close());
}

}  // namespace
}  // namespace outcrop::engine
