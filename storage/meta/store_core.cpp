#include "storage/meta/store_core.h"

#include "storage/base/log.h"
#include "storage/base/worker.h"
#include "storage/meta/replay.h"

namespace outcrop::meta {

void Bell::attach(JournaledMetaStore::Core* core) {
  const std::lock_guard lock(x_mutex);
  x_core = core;
}

void Bell::ring() {
  const std::lock_guard lock(x_mutex);
  if (x_core != nullptr) {
    x_core->request_maintenance();
  }
}

JournaledMetaStore::Core::Core(MetaConfig config,
                               drives::DriveSet& drives,
                               CommitCompanion& companion,
                               std::vector<MetaWorker> workers,
                               BlockingPool& pool)
    : x_config(config),
      x_drives(drives),
      x_workers(std::move(workers)),
      x_pool(pool),
      x_bell(std::make_shared<Bell>()),
      x_mirrors(
          std::make_unique<MirrorSet>(drives, pool, x_config, [bell = x_bell] { bell->ring(); })),
      x_files(drives, x_config, x_workers.size()),
      x_shared{.drives = drives,
               .files = x_files,
               .mirrors = *x_mirrors,
               .companion = companion,
               .pool = pool,
               .config = x_config,
               .request_checkpoint = [this] { request_checkpoint(); },
               .checkpoint = [this] { return checkpoint(); },
               .settle_doubts = [this] { settle_doubts(); }},
      x_readers(x_workers.size()),
      x_background(x_workers.front().io->get_executor()) {
  x_bell->attach(this);
}

JournaledMetaStore::Core::~Core() { x_bell->attach(nullptr); }

std::size_t JournaledMetaStore::Core::worker_slot() const {
  const std::size_t index = worker_index();
  OUTCROP_ASSERT(index < x_workers.size());
  return index;
}

const std::shared_ptr<Mirror>& JournaledMetaStore::Core::reader() {
  CachedReader& mine = x_readers[worker_slot()];
  if (const std::uint64_t version = x_mirrors->version(); mine.version != version) {
    mine.mirror = x_mirrors->reader();
    mine.version = version;
  }
  return mine.mirror;
}

// Any thread, also RocksDB's and the one that ejects a drive; the work is worker 0's.
void JournaledMetaStore::Core::request_maintenance() {
  if (x_maintenance_wanted.exchange(true)) {
    return;
  }
  asio::post(*x_workers.front().io, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->x_running) {
      self->x_background.spawn(self->maintain());
    }
  });
}

Task<> JournaledMetaStore::Core::maintain() {
  const auto self = shared_from_this();
  x_maintenance_wanted.store(false);
  // Building a mirror takes long, and until a checkpoint fewer drives may fail.
  if (std::ranges::any_of(x_drives.record().members, &drives::Member::missed)) {
    request_checkpoint();
  }
  CO_TRYV(co_await x_pool.run([this] {
    x_mirrors->maintain();
    return ok();
  }));
  // Blocks with a copy on a drive that left have one copy less: let the mirrors hold them instead.
  // A drive that joined says that a store was created here, as all others do.
  std::vector<drives::Slot> placement = x_drives.placement_slots();
  if (placement != x_placement) {
    x_placement = std::move(placement);
    if (auto marked = co_await x_pool.run([this] { return mark_store_created(x_drives); });
        !marked) {
      log::warn("a drive is not marked as used", {{"error", marked.error().describe()}});
    }
    request_checkpoint();
  }
  co_return ok();
}

void JournaledMetaStore::Core::request_checkpoint() {
  if (x_checkpoint_wanted.exchange(true)) {
    return;
  }
  asio::post(*x_workers.front().io, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->x_running) {
      self->x_background.spawn(self->background_checkpoint());
    }
  });
}

// Any worker's thread. The committers live as long as the core.
void JournaledMetaStore::Core::settle_doubts() {
  for (std::size_t w = 0; w < x_committers.size(); ++w) {
    asio::post(*x_workers[w].io, [weak = weak_from_this(), w] {
      if (const auto self = weak.lock()) {
        self->x_committers[w]->settle_doubt();
      }
    });
  }
}

Task<> JournaledMetaStore::Core::background_checkpoint() {
  const auto self = shared_from_this();
  x_checkpoint_wanted.store(false);
  if (auto done = co_await checkpoint(); !done) {
    log::error("metadata checkpoint failed", {{"error", done.error().describe()}});
  }
  co_return ok();
}

Task<> JournaledMetaStore::Core::checkpoint() {
  co_return co_await x_pool.run([this] { return checkpoint_blocking(); });
}

Task<> JournaledMetaStore::Core::compact(std::atomic<bool>& cancelled) {
  CO_TRYV(co_await checkpoint());  // tombstones in memory win nothing
  co_return co_await x_pool.run([this, &cancelled] { return x_mirrors->compact(cancelled); });
}

// The mirrors have everything up to `flushed`, durably. What waits for blocks that are on their way
// gets a checkpoint behind them: there may be no other for long.
Result<void> JournaledMetaStore::Core::settle_missed(const std::vector<Sequence>& flushed) {
  if (const auto seen = x_missed.due(flushed)) {
    TRYV(x_drives.settle_metadata(*seen));
    x_missed.settled(*seen);
  }
  const std::vector<Sequence> awaited = x_missed.awaited();
  for (std::size_t w = 0; w < awaited.size(); ++w) {
    if (awaited[w] > flushed[w]) {
      x_committers[w]->checkpoint_when_applied(awaited[w]);
    }
  }
  return ok();
}

Result<void> JournaledMetaStore::Core::checkpoint_blocking() {
  std::vector<Sequence> handed, positions;
  const drives::EpochRecord record = x_drives.record();
  for (const auto& committer : x_committers) {
    handed.push_back(committer->handed());
  }
  x_missed.note(record, handed);
  for (const auto& committer : x_committers) {
    positions.push_back(committer->applied());
  }
  TRYV(x_mirrors->flush());
  x_files.recycle(positions);
  TRYV(settle_missed(positions));
  x_checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (x_mirrors->size() <= x_drives.parity()) {
    request_maintenance();
  }
  return ok();
}

Task<> JournaledMetaStore::Core::start() {
  CO_TRYV(co_await x_pool.run([this] { return x_mirrors->open(); }));
  Replay replay(x_drives, *x_mirrors, x_shared.companion, x_pool);
  CO_TRY(const ReplayOutcome outcome, co_await replay.run());
  x_shared.next_sequence.store(outcome.floor + 1);
  CO_TRYV(co_await x_pool.run([this] { return x_mirrors->start(); }));
  CO_TRYV(co_await x_pool.run([&] { return x_files.adopt(outcome.next_generation); }));
  CO_TRYV(co_await open_journals(outcome.floor));
  x_drives.on_change([bell = x_bell](drives::Slot) { bell->ring(); });
  x_running = true;
  x_placement = x_drives.placement_slots();
  x_checkpoint_wanted.store(false);
  x_maintenance_wanted.store(false);
  request_maintenance();  // what was lost before, or failed during the replay
  co_return ok();
}

// A store that has too few drives to commit opens all the same, to be read.
Task<> JournaledMetaStore::Core::open_journals(Sequence floor) {
  for (unsigned w = 0; w < x_workers.size(); ++w) {
    auto committer = std::make_unique<Committer>(w, x_workers[w], x_shared, floor);
    auto generation = co_await x_pool.run([this, w] { return x_files.prepare(w); });
    if (generation) {
      committer->give_generation(*std::move(generation));
    } else {
      log::error("metadata is read-only for now", {{"error", generation.error().describe()}});
    }
    x_committers.push_back(std::move(committer));
  }
  co_return ok();
}

namespace {

template <class T>
Task<T> hop(asio::io_context& io, Task<T> body) {
  co_return co_await asio::co_spawn(io.get_executor(), std::move(body), use_async);
}

// Posted: the caller may be what a commit of this committer has just resumed.
Task<bool> leave_there(Committer& committer, drives::Slot slot) {
  const Executor ex = co_await asio::this_coro::executor;
  co_await asio::post(ex, use_async);
  co_return committer.leave(slot);
}

}  // namespace

// On one worker: its copy of the pointer would keep the mirror that was read before.
Task<> JournaledMetaStore::Core::renew_reader() {
  reader();
  co_return ok();
}

Task<bool> JournaledMetaStore::Core::needs(drives::Slot slot) {
  const auto maintained = [this] {
    x_mirrors->maintain();
    return ok();
  };
  bool needed = false;
  CO_TRYV(co_await x_pool.run(maintained));
  for (std::size_t w = 0; w < x_committers.size(); ++w) {
    CO_TRY(const bool mine, co_await hop(*x_workers[w].io, leave_there(*x_committers[w], slot)));
    CO_TRYV(co_await hop(*x_workers[w].io, renew_reader()));
    needed = needed || mine;
  }
  CO_TRYV(co_await x_pool.run(maintained));
  CO_TRYV(co_await checkpoint());
  x_files.forget(slot);
  co_return needed || x_files.needs(slot) || x_mirrors->has(slot);
}

namespace {

Task<> close_there(Committer& committer) { co_return co_await committer.close(); }

Task<> close_on(asio::io_context& io, Committer& committer) {
  co_return co_await asio::co_spawn(io.get_executor(), close_there(committer), use_async);
}

}  // namespace

Task<> JournaledMetaStore::Core::close() {
  for (std::size_t w = 0; w < x_committers.size(); ++w) {
    CO_TRYV(co_await close_on(*x_workers[w].io, *x_committers[w]));
  }
  x_running = false;
  x_mirrors->stop();
  CO_TRYV(co_await x_background.join());
  if (!x_shared.failed.load()) {
    CO_TRYV(co_await checkpoint());
  }
  co_return ok();
}

MetaStats JournaledMetaStore::Core::stats() const {
  MetaStats out;
  out.blocks = x_shared.blocks.load(std::memory_order_relaxed);
  out.transactions = x_shared.transactions.load(std::memory_order_relaxed);
  out.journal_bytes = x_shared.journal_bytes.load(std::memory_order_relaxed);
  out.block_ns = x_shared.block_ns.load(std::memory_order_relaxed);
  out.failed_blocks = x_shared.failed_blocks.load(std::memory_order_relaxed);
  out.checkpoints = x_checkpoints.load(std::memory_order_relaxed);
  out.mirrors_rebuilt = x_mirrors->rebuilt();
  out.mirrors_lost = x_mirrors->lost();
  out.cache_hits = x_hits.load(std::memory_order_relaxed);
  out.cache_misses = x_misses.load(std::memory_order_relaxed);
  out.memory_bytes = x_mirrors->memory_bytes();
  out.index_bytes = x_mirrors->file_bytes();
  out.mirrors = x_mirrors->size();
  out.stuck = x_shared.failed.load() || out.mirrors == 0;
  out.writable = !x_shared.failed.load() && !x_shared.held.load() && x_shared.doubts.load() == 0 &&
                 out.mirrors > 0 && x_drives.write_parity(x_drives.live_slots().size()).has_value();
  for (std::size_t i = 0; i < out.block_sizes.size(); ++i) {
    out.block_sizes[i] = x_shared.block_sizes[i].load(std::memory_order_relaxed);
  }
  return out;
}

}  // namespace outcrop::meta
