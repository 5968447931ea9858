// The engine: right values whatever the interleaving, lanes filled when there are streams, nobody
// waits for a stalled stream for long.
#include "storage/digest/md5_engine.h"

#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

Md5Value md5_of(ConstBytes data) {
  Md5State state;
  md5_update(state, data);
  return md5_value(state);
}

Task<> upload(Md5Engine& engine, ConstBytes data, std::size_t chunk, bool pause, Md5Value& out) {
  const Md5Engine::Stream stream(engine);
  Md5State state;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!data.empty()) {
    const std::size_t n = std::min(chunk, data.size());
    co_await engine.update(state, data.first(n));
    data = data.subspan(n);
    if (pause) {
      timer.expires_after(std::chrono::milliseconds(3));
      co_await timer.async_wait(use_async);
    } else {
      co_await asio::post(co_await asio::this_coro::executor, use_async);
    }
  }
  out = md5_value(state);
  co_return ok();
}

struct Load {
  std::size_t streams;
  std::size_t size_max;
  std::size_t chunk;
  std::size_t stalled;  ///< streams that pause between chunks
};

/// Runs the load and checks every value; returns lanes per batch.
double run(const Load& load, Md5Kernel kernel, std::mt19937_64& random) {
  asio::io_context io(1);
  Md5Engine engine(io, kernel);
  std::vector<ByteVector> data;
  std::vector<Md5Value> values(load.streams);
  for (std::size_t i = 0; i < load.streams; ++i) {
    data.push_back(random_bytes(load.size_max / 2 + random() % (load.size_max / 2 + 1), random));
  }
  const auto body = [&]() -> Task<> {
    TaskGroup group(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < load.streams; ++i) {
      group.spawn(upload(engine, data[i], load.chunk, i < load.stalled, values[i]));
    }
    co_return co_await group.join();
  };
  EXPECT_TRUE(run_on(io, body()).has_value());
  for (std::size_t i = 0; i < load.streams; ++i) {
    EXPECT_EQ(values[i], md5_of(data[i])) << "stream " << i << " of " << load.streams;
  }
  EXPECT_EQ(engine.streams(), 0U);
  const auto batches = static_cast<double>(engine.batches_run());
  return batches == 0 ? 0 : static_cast<double>(engine.lanes_hashed()) / batches;
}

TEST(Md5Engine, values_are_right_for_all_kinds_of_load) {
  std::mt19937_64 random(1);
  for (const Md5Kernel kernel :
       {Md5Kernel::scalar, Md5Kernel::interleaved, Md5Kernel::avx2, Md5Kernel::avx512}) {
    if (!md5_kernel_supported(kernel)) {
      continue;
    }
    for (const Load& load :
         {Load{1, 100'000, 5000, 0}, Load{2, 100'000, 70'000, 0}, Load{3, 300'000, 20'000, 0},
          Load{5, 50'000, 999, 1}, Load{16, 300'000, 65'536, 0}, Load{40, 100'000, 4096, 0},
          Load{40, 100'000, 33'000, 3}, Load{20, 0, 4096, 0}}) {
      run(load, kernel, random);
    }
  }
}

TEST(Md5Engine, few_streams_are_hashed_at_once) {
  std::mt19937_64 random(2);
  EXPECT_EQ(run({1, 500'000, 65'536, 0}, best_md5_kernel(), random), 0);
  EXPECT_EQ(run({2, 500'000, 65'536, 0}, best_md5_kernel(), random), 0);
}

TEST(Md5Engine, many_streams_fill_the_lanes) {
  std::mt19937_64 random(3);
  EXPECT_GT(run({16, 4'000'000, 65'536, 0}, best_md5_kernel(), random), 10);
  EXPECT_GT(run({8, 4'000'000, 65'536, 0}, best_md5_kernel(), random), 5);
  EXPECT_GT(run({64, 8192, 4096, 0}, best_md5_kernel(), random), 10);
}

Task<> put_small(Md5Engine& engine, ConstBytes data, Md5Value& out) {
  const Md5Engine::Stream stream(engine);
  Md5State state;
  co_await engine.update(state, data);
  out = md5_value(state);
  co_return ok();
}

TEST(Md5Engine, small_objects_that_are_ready_together_share_a_batch) {
  if (best_md5_kernel() == Md5Kernel::scalar) {
    GTEST_SKIP() << "no lanes on this processor";
  }
  std::mt19937_64 random(6);
  asio::io_context io(1);
  Md5Engine engine(io, best_md5_kernel());
  const ByteVector data = random_bytes(4096, random);
  std::array<Md5Value, 12> values;
  const auto body = [&]() -> Task<> {
    TaskGroup group(co_await asio::this_coro::executor);
    for (Md5Value& value : values) {
      group.spawn(put_small(engine, data, value));
    }
    co_return co_await group.join();
  };
  ASSERT_TRUE(run_on(io, body()).has_value());
  for (const Md5Value& value : values) {
    EXPECT_EQ(value, md5_of(data));
  }
  EXPECT_EQ(engine.lanes_hashed(), values.size());
  EXPECT_EQ(engine.batches_run(), 1U);
}

TEST(Md5Engine, the_last_lanes_do_not_wait_forever) {
  // Four streams are registered, only three ever send: each chunk waits at most for the timer, and
  // the engine learns that three lanes are all that comes.
  std::mt19937_64 random(4);
  asio::io_context io(1);
  Md5Engine engine(io, best_md5_kernel());
  const Md5Engine::Stream silent(engine);
  const ByteVector data = random_bytes(6'400'000, random);
  std::array<Md5Value, 3> values;
  const auto body = [&]() -> Task<> {
    TaskGroup group(co_await asio::this_coro::executor);
    for (Md5Value& value : values) {
      group.spawn(upload(engine, data, 32'000, false, value));
    }
    co_return co_await group.join();
  };
  ASSERT_TRUE(run_on(io, body()).has_value());
  for (const Md5Value& value : values) {
    EXPECT_EQ(value, md5_of(data));
  }
  // 200 chunks: waiting out the timer for each would be 200 ms on top of the hashing.
  EXPECT_GT(static_cast<double>(engine.lanes_hashed()) / static_cast<double>(engine.batches_run()),
            2);
}

TEST(Md5Engine, a_stream_that_ends_releases_those_who_waited_for_it) {
  asio::io_context io(1);
  Md5Engine engine(io, best_md5_kernel());
  std::mt19937_64 random(5);
  const ByteVector data = random_bytes(100'000, random);
  std::array<Md5Value, 2> values;
  const auto body = [&]() -> Task<> {
    TaskGroup group(co_await asio::this_coro::executor);
    {
      const Md5Engine::Stream leaves(engine);
      for (Md5Value& value : values) {
        group.spawn(upload(engine, data, data.size(), false, value));
      }
      co_await asio::post(co_await asio::this_coro::executor, use_async);
    }
    co_return co_await group.join();
  };
  ASSERT_TRUE(run_on(io, body()).has_value());
  EXPECT_EQ(values[0], md5_of(data));
  EXPECT_EQ(values[1], md5_of(data));
}

}  // namespace
}  // namespace outcrop::digest
