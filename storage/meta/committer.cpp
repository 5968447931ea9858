#include "storage/meta/committer.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "storage/base/log.h"

namespace outcrop::meta {
namespace {
constexpr std::size_t kCountBytes = 10;  // the varint in front of a block's transactions
}

std::uint64_t Committer::Block::bytes() const {
  return align_up(kBlockHeaderBytes + kCountBytes + payload_bytes, kIoAlign);
}

Committer::Committer(unsigned worker, MetaWorker at, CommitShared& shared, Sequence floor)
    : x_worker(worker),
      x_at(at),
      x_shared(shared),
      x_tasks(at.io->get_executor()),
      x_last(floor),
      x_applied(floor),
      x_handed(floor) {}

Task<> Committer::commit(Batch batch) {
  if (x_closed || x_shared.failed.load(std::memory_order_relaxed)) {
    co_return fail(Errc::read_only, "the metadata journal takes no more commits until a restart");
  }
  if (x_shared.held.load(std::memory_order_relaxed)) {
    co_return fail(Errc::read_only, "writes are held back");
  }
  if (x_shared.doubts.load() > 0) {
    if (!x_shared.drives.write_parity(x_shared.drives.placement_slots().size())) {
      co_return fail(x_shared.drives.no_writes());
    }
    x_shared.settle_doubts();
    co_return fail(Errc::unavailable, "an earlier commit failed halfway and is being taken back");
  }
  std::size_t bytes = 0;
  for (const Mutation& m : batch.mutations) {
    const std::size_t value = m.value ? m.value->size() : 0;
    if (value > kMaxValueBytes || m.key.size() > kMaxKeyBytes) {
      co_return fail(Errc::entity_too_large, "metadata record");
    }
    bytes += m.key.size() + value;
  }
  Pending p;
  p.encoded = encode_transaction(0, batch);
  const Block alone{.transactions = {}, .header = {}, .payload_bytes = p.encoded.size()};
  if (bytes > kMaxBatchBytes || batch.mutations.size() > kMaxMutations ||
      batch.fresh.size() > kMaxFresh || p.encoded.size() + kCountBytes > kMaxBlockPayload ||
      alone.bytes() > align_up(x_shared.config.journal_file_bytes, kIoAlign)) {
    co_return fail(Errc::entity_too_large, "metadata transaction");
  }
  p.mutations = std::move(batch.mutations);
  co_return co_await suspend<void>([this, &p](Resume<void> resume) {
    p.resume = std::move(resume);
    p.sequence = x_shared.next_sequence.fetch_add(1, std::memory_order_relaxed);
    set_sequence(p.encoded, p.sequence);
    x_queue.push_back(std::move(p));
    if (!std::exchange(x_running, true)) {
      x_tasks.spawn(run());
    }
  });
}

Task<> Committer::run() {
  // After the handlers that are ready now: their commits are in the first block already.
  co_await asio::post(x_at.io->get_executor(), use_async);
  while (x_doubt || !x_queue.empty()) {
    if (x_doubt) {
      if (const auto passed = co_await pass_over(); !passed) {
        fail_queue(passed.error());
        break;
      }
      continue;
    }
    Block block = take_block();
    const Result<void> done = co_await commit_block(block);
    if (!done) {
      x_shared.failed_blocks.fetch_add(1, std::memory_order_relaxed);
    }
    for (Pending& p : block.transactions) {
      p.resume(done);
    }
    if (x_shared.checkpoint_after_block.load(std::memory_order_relaxed) &&
        x_shared.checkpoint_after_block.exchange(false)) {
      x_shared.request_checkpoint();
    }
  }
  x_running = false;
  co_return ok();
}

void Committer::doubt() {
  if (!std::exchange(x_doubt, true)) {
    x_shared.doubts.fetch_add(1);
  }
}

void Committer::settle_doubt() {
  if (x_doubt && !x_closed && !std::exchange(x_running, true)) {
    x_tasks.spawn(run());
  }
}

void Committer::fail_queue(const Error& why) {
  for (Pending& p : std::exchange(x_queue, {})) {
    p.resume(fail(why));
  }
}

// An empty transaction. Once it is durable the blocks in doubt can never count (Replay drops what
// a later block passes over), whether or not they reached a drive.
Task<> Committer::pass_over() {
  Block block;
  Pending& p = block.transactions.emplace_back();
  p.sequence = x_shared.next_sequence.fetch_add(1, std::memory_order_relaxed);
  p.encoded = encode_transaction(p.sequence, {});
  block.payload_bytes = p.encoded.size();
  block.header = next_header(p.sequence);
  CO_TRYV(co_await write_block(block, false));
  x_last = p.sequence;
  if (auto applied = co_await apply(block); !applied) {
    x_shared.failed.store(true);
    co_return applied;
  }
  x_doubt = false;
  x_shared.doubts.fetch_sub(1);
  log::info("a commit that failed halfway was taken back", {{"worker", x_worker}});
  co_return ok();
}

Committer::Block Committer::take_block() {
  Block block;
  const std::size_t room =
      std::min<std::size_t>(x_shared.config.block_payload_bytes,
                            static_cast<std::size_t>(x_shared.config.journal_file_bytes) -
                                kBlockHeaderBytes - kCountBytes);
  while (!x_queue.empty() && block.transactions.size() < kMaxTransactions) {
    const std::size_t n = x_queue.front().encoded.size();
    if (!block.transactions.empty() && block.payload_bytes + n > room) {
      break;
    }
    block.payload_bytes += n;
    block.transactions.push_back(std::move(x_queue.front()));
    x_queue.pop_front();
  }
  block.header = next_header(block.transactions.back().sequence);
  return block;
}

BlockHeader Committer::next_header(Sequence last) const {
  BlockHeader header;
  header.cluster = x_shared.drives.cluster();
  header.worker = x_worker;
  header.previous = x_last;
  header.last = last;
  return header;
}

Task<> Committer::commit_block(Block& block) {
  if (x_shared.doubts.load() > 0) {
    co_return fail(Errc::unavailable, "an earlier commit failed halfway and is being taken back");
  }
  const auto began = std::chrono::steady_clock::now();
  CO_TRYV(co_await write_block(block, true));
  const auto took = std::chrono::steady_clock::now() - began;
  x_shared.block_ns.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
  x_last = block.header.last;
  count(block);
  if (auto applied = co_await apply(block); !applied) {
    x_shared.failed.store(true);  // durable but not visible: the next start replays it
    co_return applied;
  }
  co_return ok();
}

// On success the block is durable on every replica of its generation, all on live drives. It is
// written again whenever a drive fails. With too few drives left it is not acked, although some may
// have it: those that are gone could start without knowing it (drives::check_quorum).
Task<> Committer::write_block(Block& block, bool with_companion) {
  if (x_shared.failed.load()) {
    co_return fail(Errc::read_only, "a commit failed in an unknown state: restart to recover");
  }
  CO_TRYV(co_await ensure_room(block.bytes()));
  bool in_doubt = false;
  for (std::size_t attempt = 0;; ++attempt) {
    CO_TRY(const Written w, co_await write_once(block, with_companion && attempt == 0));
    if (w.complete) {
      co_return ok();
    }
    in_doubt = in_doubt || w.in_doubt;
    retire_current();
    x_shared.request_checkpoint();  // what lies on fewer replicas now must not depend on them long
    auto room = attempt < x_shared.drives.slots() ? co_await ensure_room(block.bytes())
                                                  : fail(Errc::no_space, "the journal is full");
    if (room) {
      continue;
    }
    if (in_doubt) {
      doubt();
    }
    co_return room;
  }
}

Task<Committer::Written> Committer::write_once(Block& block, bool with_companion) {
  std::vector<io::IoOp> ops;
  if (with_companion) {
    auto pending = x_shared.companion.take_pending(x_worker);
    if (!pending) {
      fail_queue(pending.error());  // their payload was dropped with this block's
      co_return fail(pending.error());
    }
    ops = *std::move(pending);
  }
  const std::size_t companions = ops.size();
  const Written written = co_await write_replicas(block, ops, companions);
  if (companions > 0) {
    const std::span<io::IoOp> payload(ops.data(), companions);
    if (auto done = co_await x_shared.companion.finished(x_worker, payload); !done) {
      doubt();  // the block may be found at the next start, its payload too
      fail_queue(done.error());
      co_return fail(done.error());
    }
  }
  co_return written;
}

Async<Committer::Written> Committer::write_replicas(Block& block,
                                                    std::vector<io::IoOp>& ops,
                                                    std::size_t companions) {
  Generation& g = *x_current;
  block.header.generation = g.number;
  block.header.offset = g.offset;
  block.header.epoch = x_shared.drives.epoch();
  std::vector<std::string_view> encoded;
  encoded.reserve(block.transactions.size());
  for (const Pending& p : block.transactions) {
    encoded.push_back(p.encoded);
  }
  const Buffer bytes = encode_block(block.header, encoded);
  for (const JournalFile& replica : g.replicas) {
    ops.push_back({.kind = io::OpKind::write,
                   .file = replica.file.get(),
                   .offset = g.offset,
                   .buffer = bytes,
                   .durable = true,
                   .result = {}});
  }
  x_handed.store(block.header.last, std::memory_order_release);
  co_await io::run(*x_at.backend, ops);
  g.offset += bytes.size();
  g.last = block.header.last;
  x_shared.journal_bytes.fetch_add(bytes.size(), std::memory_order_relaxed);

  Written out;
  for (std::size_t i = 0; i < g.replicas.size(); ++i) {
    const Result<void>& result = ops[companions + i].result;
    const drives::Slot slot = g.replicas[i].slot;
    if (!result && result.error().code() == Errc::no_space) {
      out.in_doubt = true;  // the drive stays, and with it whatever reached it
    } else if (!result) {
      const Error why = result.error();
      auto ejected = co_await x_shared.pool.run([&] { return x_shared.drives.eject(slot, why); });
      out.in_doubt = out.in_doubt || !ejected;
    } else if (x_shared.drives.live(slot)) {
      ++out.holders;
    }
  }
  out.complete = out.holders == g.replicas.size();
  out.in_doubt = out.in_doubt || out.holders > 0;
  co_return out;
}

Task<> Committer::ensure_room(std::uint64_t bytes) {
  while (!x_current || x_current->offset + bytes > x_current->bytes ||
         !x_shared.files.healthy(*x_current)) {
    retire_current();
    CO_TRYV(co_await next_generation());
  }
  co_return ok();
}

void Committer::retire_current() {
  if (!x_current) {
    return;
  }
  x_shared.files.retire(std::move(x_current));
  if (x_shared.files.retired(x_worker) >= x_shared.config.checkpoint_files) {
    x_shared.request_checkpoint();
  }
}

Task<> Committer::next_generation() {
  // Twice the usual number of full files: checkpoints do not keep up, so commits wait for one.
  if (x_shared.files.retired(x_worker) >= 2 * x_shared.config.checkpoint_files + 2) {
    CO_TRYV(co_await x_shared.checkpoint());
  }
  auto ready = co_await wait_for_next();
  if (!ready && ready.error().code() == Errc::no_space && x_shared.files.retired(x_worker) > 0) {
    CO_TRYV(co_await x_shared.checkpoint());  // full files become free ones
    ready = co_await wait_for_next();
  }
  CO_TRYV(std::move(ready));
  x_current = std::move(x_next);
  prepare_in_background();
  co_return ok();
}

Task<> Committer::wait_for_next() {
  if (!x_next) {
    prepare_in_background();
  }
  if (x_preparing) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_prepare_waiter = std::move(r); }));
  }
  co_return x_prepared;
}

void Committer::prepare_in_background() {
  if (!std::exchange(x_preparing, true)) {
    x_tasks.spawn(prepare());
  }
}

Task<> Committer::prepare() {
  auto made = co_await x_shared.pool.run([this] { return x_shared.files.prepare(x_worker); });
  x_preparing = false;
  x_prepared = made ? ok() : Result<void>(fail(made.error()));
  if (made) {
    x_next = *std::move(made);
  }
  if (x_prepare_waiter) {
    x_prepare_waiter(ok());
  }
  co_return ok();
}

bool Committer::leave(drives::Slot slot) {
  if (x_running || x_preparing) {
    return true;
  }
  if (x_current && !x_shared.files.healthy(*x_current)) {
    retire_current();
  }
  if (x_next && !x_shared.files.healthy(*x_next)) {
    x_shared.files.retire(std::move(x_next));
  }
  const auto on_it = [slot](const GenerationPtr& g) { return g && g->on(slot); };
  return on_it(x_current) || on_it(x_next);
}

Task<> Committer::apply(Block& block) {
  IndexBatch batch;
  for (const Pending& p : block.transactions) {
    for (const Mutation& m : p.mutations) {
      if (m.value) {
        batch.put(m.key, *m.value);
      } else {
        batch.erase(m.key);
      }
    }
  }
  batch.put(position_key(x_worker), position_value(block.header.last));
  CO_TRYV(co_await x_shared.mirrors.apply(std::make_shared<std::string>(std::move(batch).take())));
  x_applied.store(block.header.last, std::memory_order_release);
  co_return ok();
}

void Committer::count(const Block& block) {
  const std::size_t n = block.transactions.size();
  x_shared.blocks.fetch_add(1, std::memory_order_relaxed);
  x_shared.transactions.fetch_add(n, std::memory_order_relaxed);
  const auto bucket = std::min<std::size_t>(std::bit_width(n) - 1, x_shared.block_sizes.size() - 1);
  x_shared.block_sizes[bucket].fetch_add(1, std::memory_order_relaxed);
}

Task<> Committer::close() {
  x_closed = true;
  co_return co_await x_tasks.join();
}

}  // namespace outcrop::meta
