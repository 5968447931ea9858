#include "storage/engine/engine.h"

#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_set.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

constexpr std::uint64_t kMinSegment = 16ULL << 20;
constexpr std::uint64_t kMaxSegment = 1ULL << 30;
constexpr std::uint64_t kSegmentsPerDrive = 2048;  // about; the shard size follows the capacity

/// A power of two by the smallest drive, so that a drive holds some thousands of shards.
Result<std::uint64_t> shard_bytes_for(const drives::DriveSet& drives) {
  std::uint64_t smallest = UINT64_MAX;
  for (const drives::Slot slot : drives.live_slots()) {
    TRY(const io::Space space, drives.disk(slot)->space());
    smallest = std::min(smallest, space.total_bytes);
  }
  return std::clamp(std::bit_floor(smallest / kSegmentsPerDrive + 1), kMinSegment, kMaxSegment);
}

}  // namespace

Result<void> Engine::format(std::vector<std::unique_ptr<io::Disk>> disks,
                            std::optional<unsigned> parity,
                            Random& random) {
  return drives::DriveSet::format(disks, parity.value_or(drives::default_parity(disks.size())),
                                  random);
}

Task<std::unique_ptr<Engine>> Engine::open(std::vector<std::unique_ptr<io::Disk>> disks,
                                           EngineConfig config,
                                           EngineRuntime runtime) {
  const drives::DriveOptions options{.allow_reduced_redundancy = config.allow_reduced_redundancy,
                                     .witness = runtime.state_dir};
  auto opened = co_await runtime.pool.run(
      [&disks, &options] { return drives::DriveSet::open(std::move(disks), options); });
  CO_TRY(std::unique_ptr<drives::DriveSet> drives, std::move(opened));
  std::vector<std::unique_ptr<io::Disk>> blank = drives->take_blank();
  if (config.segment_bytes == 0) {
    CO_TRY(config.segment_bytes,
           co_await runtime.pool.run([&drives] { return shard_bytes_for(*drives); }));
  }
  auto store = std::make_unique<Store>(config, std::move(runtime), std::move(drives));
  if (auto started = co_await store->start(); !started) {
    if (const auto closed = co_await store->close(); !closed) {
      log::warn("closing after a failed start", {{"error", closed.error().describe()}});
    }
    co_return fail(started.error());
  }
  co_await store->adopt_blank(std::move(blank));
  co_return store;
}

}  // namespace outcrop::engine
