#include "storage/engine/engine.h"

#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_set.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

constexpr std::uint64_t kMinSegment = 16ULL << 20;
constexpr std::uint64_t kMaxSegment = 1ULL << 30;
constexpr std::uint64_t kMinJournal = 16ULL << 20;  // holds the largest transaction
constexpr std::uint64_t kMaxJournal = 32ULL << 20;
constexpr std::uint64_t kJournalsPerDrive = 64;
constexpr std::uint64_t kMinTableFile = 1ULL << 20;
constexpr std::uint64_t kMaxTableFile = 64ULL << 20;
constexpr std::uint64_t kTableFilesPerDrive = 256;
constexpr std::uint64_t kSegmentsPerDrive = 2048;  // about; the shard size follows the capacity

Result<std::uint64_t> smallest_drive(const drives::DriveSet& drives) {
  std::uint64_t smallest = UINT64_MAX;
  for (const drives::Slot slot : drives.live_slots()) {
    TRY(const io::Space space, drives.disk(slot)->space());
    smallest = std::min(smallest, space.total_bytes);
  }
  return smallest;
}

/// What was not configured: powers of two by the smallest drive. A drive holds some thousands of
/// shards, and on a small one metadata comes in small files.
Result<void> size_by_capacity(const drives::DriveSet& drives, EngineConfig& config) {
  TRY(const std::uint64_t smallest, smallest_drive(drives));
  if (config.segment_bytes == 0) {
    config.segment_bytes =
        std::clamp(std::bit_floor(smallest / kSegmentsPerDrive + 1), kMinSegment, kMaxSegment);
  }
  if (config.journal_bytes == 0) {
    config.journal_bytes =
        std::clamp(std::bit_floor(smallest / kJournalsPerDrive), kMinJournal, kMaxJournal);
  }
  config.table_file_bytes =
      std::clamp(std::bit_floor(smallest / kTableFilesPerDrive), kMinTableFile, kMaxTableFile);
  return ok();
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
  CO_TRYV(co_await runtime.pool.run([&] { return size_by_capacity(*drives, config); }));
  std::vector<std::unique_ptr<io::Disk>> blank = drives->take_blank();
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
