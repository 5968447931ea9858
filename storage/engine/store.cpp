#include "storage/engine/store.h"

#include <map>

#include "storage/base/log.h"
#include "storage/segment/capacity.h"
#include "storage/segment/spare_pool.h"

namespace outcrop::engine {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{500};  // drive presence; a removed drive is out within a second
constexpr milliseconds kRepairTick{1000};
constexpr milliseconds kStockTick{100};  // segments of a busy store are full after some hundreds
constexpr milliseconds kLook{1000};
constexpr milliseconds kCollect{5000};  // garbage collection
constexpr milliseconds kLookAtClock{60'000};
// A start after a power cut knows the time no more exactly than this.
constexpr std::int64_t kKeepTimeNs = 300'000'000'000;
// Restriping leaves clients this share of the store: where drives are missing, room is scarce.
constexpr std::uint64_t kKeptFree = 10;
// What a file client wrote and never committed is stored after this.
constexpr std::int64_t kIdleNs = 5'000'000'000;
// Checkpoints flush memtables before they grow beyond the journal's files, and deeper ones are
// slower to insert into.
constexpr std::uint64_t kLeastMemtable = 1 << 20, kMostMemtable = 64 << 20;

std::vector<meta::MetaWorker> meta_workers(const EngineRuntime& runtime) {
  std::vector<meta::MetaWorker> out;
  for (std::size_t i = 0; i < runtime.workers.size(); ++i) {
    out.push_back({runtime.workers[i], runtime.backends[i]});
  }
  return out;
}

meta::MetaConfig meta_config(const EngineConfig& config) {
  meta::MetaConfig out;
  out.journal_file_bytes = config.journal_bytes;
  out.table_file_bytes = config.table_file_bytes;
  out.block_cache_bytes = config.cache_bytes / 2;
  out.memtable_bytes = std::clamp<std::uint64_t>(
      config.cache_bytes / 8, kLeastMemtable,
      std::clamp(config.most_memtable_bytes, kLeastMemtable, kMostMemtable));
  return out;
}

/// The mirrors on drives with too little room for metadata, if there is a drive for each that has
/// plenty: they could be written there twice and leave as much as a new drive would.
std::vector<drives::Slot> to_move(const std::map<drives::Slot, io::Space>& spaces,
                                  const std::vector<drives::Slot>& mirrors,
                                  std::uint64_t index_bytes) {
  std::vector<drives::Slot> crowded;
  std::size_t roomy = 0;
  for (const auto& [slot, space] : spaces) {
    if (std::ranges::find(mirrors, slot) == mirrors.end()) {
      roomy += space.free_bytes > 2 * index_bytes + segment::metadata_share(space.total_bytes);
    } else if (space.free_bytes < segment::metadata_least_free(space.total_bytes, index_bytes)) {
      crowded.push_back(slot);
    }
  }
  crowded.resize(std::min(crowded.size(), roomy));
  return crowded;
}

}  // namespace

Store::Store(EngineConfig config, EngineRuntime runtime, std::unique_ptr<drives::DriveSet> drives)
    : x_config(config),
      x_runtime(std::move(runtime)),
      x_drives(std::move(drives)),
      x_segments(*x_drives,
                 x_runtime.pool,
                 x_runtime.random,
                 x_runtime.workers,
                 x_runtime.backends,
                 x_config.segment_bytes,
                 x_config.payload_cache_bytes),
      x_judge([this](unsigned slot, auto answered) { ask_drive(slot, std::move(answered)); }),
      x_returns(x_config.return_wait_ns),
      x_opened_ns(x_runtime.clock.steady_ns()) {}

Store::~Store() { OUTCROP_ASSERT(x_operations == 0); }

Task<> Store::start() {
  for (io::IoBackend* const backend : x_runtime.backends) {
    backend->set_hedge(x_drives->parity());
  }
  if (x_config.background) {
    start_judges();
  }
  CO_TRY(x_meta,
         co_await meta::JournaledMetaStore::open(meta_config(x_config), *x_drives, x_segments,
                                                 meta_workers(x_runtime), x_runtime.pool));
  x_read_only = x_config.read_only;
  x_meta->hold(x_read_only);
  CO_TRYV(co_await x_segments.open());
  start_collector();
  CO_TRYV(co_await load_time());
  ns::NamespaceConfig ns_config;
  ns_config.object_cache_bytes = x_config.object_cache_bytes;
  ns_config.directory_cache_bytes = x_config.object_cache_bytes / 4;
  ns_config.min_part_bytes = x_config.min_part_bytes;
  ns_config.write_buffer_bytes = x_config.write_buffer_bytes;
  ns_config.extent_cache_bytes = x_config.extent_cache_bytes;
  ns_config.keys = x_runtime.keys;
  ns_config.recount = x_config.recount;
  CO_TRYV(co_await measure_space());
  ns_config.space = [this] {
    constexpr std::uint64_t kUnlimited = INT64_MAX;
    return ns::FileSystemSpace{x_total_bytes, x_free_bytes, kUnlimited,
                               x_metadata_full ? 0 : kUnlimited};
  };
  auto tree = ns::make_namespace(*x_meta, x_segments, x_runtime.clock, x_runtime.random, ns_config);
  CO_TRYV(co_await tree->open());
  x_ns = std::move(tree);
  x_compactor.emplace(x_segments, *x_ns, [this] { return being_rewritten(); });
  x_restriper.emplace(x_segments, *x_ns, *x_drives, x_runtime.clock, x_config.restripe_after_ns,
                      [this] { return x_free_bytes > x_total_bytes / kKeptFree; });
  x_rebalancer.emplace(
      x_segments, *x_ns, *x_drives, x_runtime.clock, x_config.rebalance_after_ns,
      [this] { return x_meta->checkpoint(); }, [this] { return x_collector->run(); });
  if (x_config.background) {
    const Executor ex = x_runtime.workers[0]->get_executor();
    x_pace.emplace(ex, x_runtime.clock, [this] {
      const meta::MetaStats meta = x_meta->stats();
      const segment::SegmentStats& segments = x_segments.stats();
      return Foreground{meta.blocks + segments.reads.load(),
                        meta.block_ns + segments.read_ns.load()};
    });
    start_background();
  }
  if (x_config.background && !x_read_only) {
    start_upkeep();
  }
  co_return ok();
}

// A drive whose directory was removed, renamed or unmounted still takes writes through open files:
// nobody would ever find that data again, so the drive is out.
Task<> Store::check_drives() {
  for (const drives::Slot slot : x_drives->live_slots()) {
    CO_TRYV(co_await x_runtime.pool.run([this, slot]() -> Result<void> {
      if (x_drives->disk(slot)->present()) {
        return ok();
      }
      return x_drives->eject(slot, Error(Errc::io_error, "its directory is gone"));
    }));
  }
  co_return ok();
}

// Counts large objects, which are what most payload is; small records cost more. Free is what
// clients can have: also in shard files that hold no segment, and not what is kept back. Metadata
// is full when a drive that holds it is.
Task<> Store::measure_space() {
  return x_runtime.pool.run([this]() -> Result<void> {
    const auto slots = x_drives->live_slots();
    const std::vector<drives::Slot> mirrors = x_drives->record().mirrors;
    std::vector<std::uint64_t> total, free;
    std::map<drives::Slot, io::Space> spaces;
    bool metadata_full = false;
    const std::uint64_t index_bytes = x_meta->stats().index_bytes;
    for (const drives::Slot slot : slots) {
      if (const auto trimmed = x_segments.trim_spares(slot); !trimmed) {
        log::warn("spare shard files", {{"error", trimmed.error().describe()}});
      }
      const auto space = x_drives->disk(slot)->space();
      if (space) {
        const std::lock_guard lock(x_space_mutex);
        x_space[slot] = *space;
      }
      const auto room = x_segments.client_bytes(slot);
      if (!space || !room) {
        continue;  // its own operations will tell, and eject it
      }
      const std::uint64_t least = segment::metadata_least_free(space->total_bytes, index_bytes);
      const bool mirror = std::ranges::find(mirrors, slot) != mirrors.end();
      metadata_full |= mirror && space->free_bytes < least;
      if (mirror || !x_drives->draining(slot)) {
        spaces[slot] = *space;
      }
      total.push_back(space->total_bytes);
      free.push_back(x_drives->draining(slot) ? 0 : std::min(*room, space->total_bytes));
    }
    const auto parity = x_drives->write_parity(slots.size());
    x_total_bytes = parity ? segment::usable_bytes(std::move(total), *parity) : 0;
    x_free_bytes = parity ? segment::usable_bytes(std::move(free), *parity) : 0;
    x_metadata_full = metadata_full;
    x_meta->crowd(to_move(spaces, mirrors, index_bytes));
    return ok();
  });
}

void Store::resume() {
  if (!std::exchange(x_read_only, false) || x_closing) {
    return;
  }
  x_meta->hold(false);
  if (x_config.background) {
    start_upkeep();
  }
}

// One that fails keeps the others from nothing.
void Store::add_job(milliseconds pause, std::string what, std::function<Task<>()> step) {
  x_jobs.push_back(std::make_unique<Periodic>(x_runtime.workers[0]->get_executor(), pause,
                                              std::move(what), std::move(step)));
  x_jobs.back()->start();
}

// What looks after drives and memory.
void Store::start_background() {
  add_job(kTick, "drive check", [this] { return check_drives(); });
  add_job(kLook, "looking for drives that are away", [this] { return look_for_drives(); });
  add_job(kTick, "storing what files have in memory",
          [this] { return files().flush_idle(x_runtime.clock.steady_ns() - kIdleNs); });
  add_job(kTick, "free space of drives", [this] { return measure_space(); });
}

// What changes data by itself.
void Store::start_upkeep() {
  add_job(kCollect, "garbage collection", [this]() -> Task<> {
    CO_TRYV(co_await collect_garbage());
    co_return ok();
  });
  add_job(kCollect, "compaction of full metadata", [this] { return compact_full_metadata(); });
  add_job(kLookAtClock, "keeping the time", [this] { return keep_time(kKeepTimeNs); });
  const Executor ex = x_runtime.workers[0]->get_executor();
  for (drives::Stock* const stock : {&x_meta->journals(), &x_segments.spares()}) {
    drives::StockFiller& filler = x_fillers.emplace_back(ex, x_runtime.pool, *x_drives, *stock);
    add_job(kStockTick, "files made ahead of need", [&filler]() -> Task<> {
      filler.look();
      co_return ok();
    });
  }
  add_job(kRepairTick, "repair", [this] { return repair_step(); });
  add_job(kTick, "compaction", [this] { return compaction_step(); });
}

// Deletes make room for metadata only when the index is rewritten without what they erased.
Task<> Store::compact_full_metadata() {
  const std::uint64_t commits = x_meta->stats().transactions;
  if (!x_metadata_full || commits == x_compacted_at) {
    co_return ok();
  }
  x_compacted_at = commits;
  co_return co_await x_meta->compact(x_closing);
}

// Where clients may wait for it, room is theirs as soon as it is won.
Task<> Store::compaction_step() {
  const std::uint64_t before = x_compactor->stats().segments.load();
  const bool urgent = Compactor::urgent(x_free_bytes, x_total_bytes);
  CO_TRYV(co_await x_compactor->step(x_free_bytes, x_total_bytes));
  if (urgent && x_compactor->stats().segments.load() > before) {
    CO_TRYV(co_await collect_garbage());
  }
  co_return ok();
}

void Store::start_collector() {
  x_collector.emplace(
      x_runtime.workers[0]->get_executor(), x_runtime.clock, [this]() -> Task<std::uint64_t> {
        co_return co_await x_segments.collect([this] { return x_meta->checkpoint(); });
      });
  x_segments.ask_for_room([this]() -> Task<bool> {
    if (x_closing) {
      co_return false;
    }
    co_return co_await x_collector->make_room();
  });
}

Task<std::uint64_t> Store::collect_garbage() { co_return co_await x_collector->run(); }

Task<> Store::compact(double garbage) {
  CO_TRYV(co_await x_compactor->run(garbage));
  co_return ok();
}

// Drives may hang now, too: the judges are the last to go.
Task<> Store::close() {
  auto closed = co_await close_parts();
  for (const auto& judge : x_judges) {
    CO_TRYV(co_await judge->stop());
  }
  co_return closed;
}

Task<> Store::close_parts() {
  x_closing = true;
  if (x_pace) {
    x_pace->stop();
  }
  if (x_meta) {
    x_meta->stop_maintenance();
  }
  for (const auto& job : x_jobs) {
    CO_TRYV(co_await job->stop());
  }
  for (drives::StockFiller& filler : x_fillers) {
    CO_TRYV(co_await filler.stop());
  }
  if (x_operations > 0) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_operations_ended = std::move(r); }));
  }
  x_compactor.reset();
  x_restriper.reset();
  x_rebalancer.reset();
  Result<void> first;
  if (x_ns) {
    first = co_await files().flush_idle(INT64_MAX);
  }
  x_ns.reset();
  for (asio::io_context* worker : x_runtime.workers) {
    auto closed =
        co_await asio::co_spawn(worker->get_executor(), x_segments.close_worker(), use_async);
    if (!closed && first) {
      first = std::move(closed);
    }
  }
  if (x_meta) {
    if (x_time_loaded) {  // else the store did not get open
      if (const auto kept = co_await keep_time(0); !kept) {
        log::warn("the time is not kept", {{"error", kept.error().describe()}});
      }
    }
    CO_TRYV(co_await x_meta->close());
  }
  co_return first;
}

EngineStats Store::stats() {
  EngineStats out;
  const drives::EpochRecord record = x_drives->record();
  const segment::Survey survey = x_segments.survey();
  for (std::size_t slot = 0; slot < record.members.size(); ++slot) {
    if (record.members[slot].uuid.is_nil()) {
      continue;
    }
    DriveStatus drive;
    drive.slot = static_cast<unsigned>(slot);
    drive.uuid = record.members[slot].uuid.to_string();
    drive.live = x_drives->live(static_cast<drives::Slot>(slot));
    drive.mirror = std::ranges::find(record.mirrors, slot) != record.mirrors.end();
    if (io::Disk* disk = x_drives->disk(static_cast<drives::Slot>(slot))) {
      drive.path = disk->name();
      drive.stats = &disk->stats();
    }
    drive.returning = record.members[slot].returning;
    {
      const std::lock_guard lock(x_space_mutex);
      drive.space = x_space[slot];
      const auto absence = x_absence.find(static_cast<drives::Slot>(slot));
      drive.absence = drive.live || absence == x_absence.end() ? "" : absence->second;
    }
    judge(drive, survey, record);
    out.drives.push_back(std::move(drive));
  }
  out.repair = repair_status(survey);
  out.restripe = x_restriper->status(survey);
  out.rebalance = x_rebalancer->status();
  const meta::MetaStats meta = x_meta->stats();
  const segment::SegmentStore::Counts segments = x_segments.counts();
  out.epoch = record.epoch;
  out.parity = record.parity;
  out.writable = meta.writable;
  out.commits = meta.blocks;
  out.commit_transactions = meta.transactions;
  out.commit_sizes = meta.block_sizes;
  out.journal_bytes = meta.journal_bytes;
  out.cache_hits = meta.cache_hits;
  out.cache_misses = meta.cache_misses;
  const segment::PayloadCache::Counts payloads = x_segments.cache_counts();
  out.payload_hits = payloads.hits;
  out.payload_misses = payloads.misses;
  out.payload_cache_bytes = payloads.bytes;
  out.metadata_memory_bytes = meta.memory_bytes;
  out.clock_behind_seconds = static_cast<std::uint64_t>(x_clock_behind_ns / 1'000'000'000);
  out.segments_open = segments.open;
  out.segments_sealed = segments.sealed;
  out.segments_recycled = x_segments.stats().recycled.load();
  out.segments_restriped = x_restriper->segments();
  out.restriped_bytes = x_restriper->bytes();
  out.segments_widened = x_rebalancer->segments();
  out.shards_rebalanced = x_rebalancer->shards();
  out.rebalanced_bytes = x_rebalancer->bytes();
  out.segments_compacted = x_compactor->stats().segments.load();
  out.compacted_bytes = x_compactor->stats().bytes.load();
  out.reconstructed_reads = x_segments.stats().reconstructed_reads.load();
  out.hedged_reads = x_segments.stats().hedged_reads.load();
  out.corrupt_reads = x_segments.stats().corrupt_chunks.load();
  return out;
}

}  // namespace outcrop::engine
