#include "storage/engine/engine.h"

#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_set.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

// Drives below this have less of everything: what is usual would leave no room for data.
constexpr std::uint64_t kSmallDrive = 400ULL << 20;
constexpr std::uint64_t kPartOfSmall = 48;
constexpr std::uint64_t kLeastSegment = 2ULL << 20;  // a full stripe of one drive, and its header
constexpr std::uint64_t kLeastJournal = 1ULL << 20;  // holds what fits on such a drive
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
  const bool small = smallest < kSmallDrive;
  const std::uint64_t part = std::bit_floor(smallest / kPartOfSmall + 1);
  if (config.segment_bytes == 0) {
    const std::uint64_t least = small ? std::max(part, kLeastSegment) : kMinSegment;
    config.segment_bytes =
        std::clamp(std::bit_floor(smallest / kSegmentsPerDrive + 1), least, kMaxSegment);
  }
  if (config.journal_bytes == 0) {
    const std::uint64_t least = small ? std::max(part, kLeastJournal) : kMinJournal;
    config.journal_bytes =
        std::clamp(std::bit_floor(smallest / kJournalsPerDrive), least, kMaxJournal);
  }
  config.most_memtable_bytes = small ? part : UINT64_MAX;
  config.table_file_bytes =
      std::clamp(std::bit_floor(smallest / kTableFilesPerDrive), kMinTableFile, kMaxTableFile);
  return ok();
}

}  // namespace

Result<void> check_size(io::Disk& disk) {
  TRY(const io::Space space, disk.space());
  return space.total_bytes >= kLeastDrive
             ? ok()
             : Result<void>(fail(Errc::invalid_argument,
                                 "drive \"" + std::string(disk.name()) + "\" has " +
                                     std::to_string(space.total_bytes >> 20) +
                                     " MiB: it must have " + std::to_string(kLeastDrive >> 20) +
                                     " MiB at least, as ext4 has on a device of 64 MiB"));
}

Result<void> Engine::format(std::vector<std::unique_ptr<io::Disk>> disks,
                            std::optional<unsigned> parity,
                            Random& random) {
  for (const auto& disk : disks) {
    if (const auto size = check_size(*disk); !size) {
      return fail(Errc::config, std::string(size.error().detail()));
    }
  }
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
