// GB/s of every kernel on one core. Not part of the default build: target digest_bench.
#include <benchmark/benchmark.h>

#include "storage/digest/crc.h"
#include "storage/digest/digest.h"
#include "storage/digest/hmac.h"
#include "storage/digest/md5_engine.h"
#include "storage/digest/xxh.h"
#include "storage/ec/codec.h"

namespace {

using namespace outcrop;
using namespace outcrop::digest;

ByteVector input(std::size_t size) {
  ByteVector data(size);
  for (std::size_t i = 0; i < size; ++i) {
    data[i] = static_cast<std::byte>(i * 31 + (i >> 8));
  }
  return data;
}

void count(benchmark::State& state, std::size_t bytes_per_turn) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes_per_turn) *
                          static_cast<std::int64_t>(state.iterations()));
}

template <class Fn>
void over_bytes(benchmark::State& state, Fn fn) {
  const ByteVector data = input(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(fn(ConstBytes(data)));
  }
  count(state, data.size());
}

void bm_crc32(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return crc32(0, d); });
}
void bm_crc32c(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return crc32c(0, d); });
}
void bm_crc64nvme(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return crc64nvme(0, d); });
}
void bm_xxh3(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return xxh3_64(d); });
}
void bm_xxh3_identity(benchmark::State& s) {
  const ByteVector identity = input(48);
  over_bytes(s, [&](ConstBytes d) { return xxh3_64({ConstBytes(identity), d}); });
}
void bm_sha256(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return sha256(d); });
}
void bm_sha1(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) { return Digest::of(Algorithm::sha1, d); });
}
void bm_md5(benchmark::State& s) {
  over_bytes(s, [](ConstBytes d) {
    Md5State state;
    md5_update(state, d);
    return md5_value(state);
  });
}
void bm_hmac(benchmark::State& s) {
  const HmacKey key(input(32));
  over_bytes(s, [&](ConstBytes d) { return key.sign(d); });
}

void bm_md5_lanes(benchmark::State& state) {
  const auto kernel = static_cast<Md5Kernel>(state.range(0));
  if (!md5_kernel_supported(kernel)) {
    state.SkipWithError("not supported here");
    return;
  }
  const auto lanes = static_cast<std::size_t>(state.range(1));
  const std::vector<ByteVector> data(lanes, input(65536));
  std::vector<Md5State> states(lanes);
  std::vector<Md5Lane> work;
  for (std::size_t i = 0; i < lanes; ++i) {
    work.push_back({&states[i], data[i]});
  }
  for (auto _ : state) {
    md5_update_lanes(work, kernel);
  }
  count(state, lanes * 65536);
}

Task<> upload(Md5Engine& engine, ConstBytes data, std::size_t chunk) {
  const Md5Engine::Stream stream(engine);
  Md5State state;
  for (std::size_t at = 0; at < data.size(); at += chunk) {
    co_await engine.update(state, data.subspan(at, chunk));
    co_await asio::post(co_await asio::this_coro::executor, use_async);
  }
  benchmark::DoNotOptimize(md5_value(state));
  co_return ok();
}

void bm_md5_engine(benchmark::State& state) {
  constexpr std::size_t kObject = 4 << 20;
  const auto streams = static_cast<std::size_t>(state.range(0));
  const auto chunk = static_cast<std::size_t>(state.range(1));
  const std::vector<ByteVector> data(streams, input(kObject));
  asio::io_context io(1);
  Md5Engine engine(io);
  for (auto _ : state) {
    const auto body = [&]() -> Task<> {
      TaskGroup group(io.get_executor());
      for (const ByteVector& object : data) {
        group.spawn(upload(engine, object, chunk));
      }
      co_return co_await group.join();
    };
    benchmark::DoNotOptimize(run_on(io, body()).has_value());
  }
  count(state, streams * kObject);
}

/// A stripe of 1 MiB of data: bytes are data bytes.
void bm_ec(benchmark::State& state, bool encode) {
  const auto k = static_cast<unsigned>(state.range(0));
  const auto m = static_cast<unsigned>(state.range(1));
  const ec::Codec codec = *ec::Codec::make(k, m);
  const std::size_t length = (1 << 20) / k;
  std::vector<ByteVector> shards(k + m, input(length));
  std::vector<const std::byte*> in;
  std::vector<std::byte*> out;
  for (unsigned i = 0; i < k + m; ++i) {
    in.push_back(shards[i].data());
    if (i >= k) {
      out.push_back(shards[i].data());
    }
  }
  const ec::ShardSet lost = (1U << m) - 1;
  for (auto _ : state) {
    if (encode) {
      codec.encode(std::span(in).first(k), out, length);
    } else {
      const ec::ShardSet present = ((1U << (k + m)) - 1) & ~lost;
      benchmark::DoNotOptimize(codec.reconstruct(present, in, lost, out, length).has_value());
    }
  }
  count(state, k * length);
}
void bm_ec_encode(benchmark::State& state) { bm_ec(state, true); }
void bm_ec_decode(benchmark::State& state) { bm_ec(state, false); }

BENCHMARK(bm_crc32)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_crc32c)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_crc64nvme)->Arg(64)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_xxh3)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_xxh3_identity)->Arg(64)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_sha1)->Arg(1 << 20);
BENCHMARK(bm_sha256)->Arg(64)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_md5)->Arg(64)->Arg(4096)->Arg(1 << 20);
BENCHMARK(bm_hmac)->Arg(64)->Arg(256);
BENCHMARK(bm_md5_lanes)->ArgsProduct({{0, 1, 2, 3}, {1, 2, 3, 4, 8, 12, 13, 16, 17, 20, 32}});
BENCHMARK(bm_md5_engine)->ArgsProduct({{1, 2, 3, 4, 8, 16, 32}, {65536, 1 << 20}});
BENCHMARK(bm_ec_encode)->Args({2, 1})->Args({4, 2})->Args({8, 3})->Args({10, 4})->Args({12, 4});
BENCHMARK(bm_ec_decode)->Args({2, 1})->Args({4, 2})->Args({8, 3})->Args({10, 4});

}  // namespace
