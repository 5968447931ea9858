#include "storage/meta/replay.h"

#include <algorithm>

#include "storage/base/log.h"

namespace outcrop::meta {
namespace {
constexpr std::size_t kWriteOutBytes = 1 << 20;
}

Replay::Replay(drives::DriveSet& drives,
               MirrorSet& mirrors,
               CommitCompanion& companion,
               BlockingPool& pool)
    : x_drives(drives),
      x_mirrors(mirrors),
      x_companion(companion),
      x_pool(pool),
      x_reader(drives) {}

Result<void> Replay::on_each(const std::function<Result<void>(Target&)>& step) {
  Error last(Errc::unavailable, "no metadata mirror is left");
  std::erase_if(x_targets, [&](Target& target) {
    auto done = target.mirror->failed() ? Result<void>(fail(target.mirror->why())) : step(target);
    if (!done) {
      last = done.error();
      x_mirrors.discard(target.mirror, last);
    }
    return !done.has_value();
  });
  if (x_targets.empty()) {
    return fail(last.code(), "no metadata mirror is left: " + std::string(last.detail()));
  }
  return ok();
}

Sequence Replay::decided(unsigned worker) const {
  const auto at = x_decided.find(worker);
  return at == x_decided.end() ? 0 : at->second;
}

bool Replay::voided(Sequence sequence) const { return x_voided.contains(sequence); }

// The last blocks of a worker may be on m+1 drives only. Nothing shows that they are lost: they
// would count as never written, and be for good when the mirrors have the next floor.
Result<void> Replay::check_drives() const {
  const drives::EpochRecord record = x_drives.record();
  std::size_t silent = 0;
  for (std::size_t slot = 0; slot < record.members.size(); ++slot) {
    const bool failing = x_reader.failing().contains(static_cast<drives::Slot>(slot));
    silent += record.members[slot].missed || failing ? 1 : 0;
  }
  if (x_reader.failing().empty() || silent <= record.parity) {
    return ok();
  }
  return fail(Errc::unavailable, "the journals of " + std::to_string(silent) +
                                     " drives cannot be read: start again when they can");
}

Result<void> Replay::prepare() {
  for (const auto& mirror : x_mirrors.opened()) {
    x_targets.push_back({mirror, {}, std::make_unique<IndexBatch>(), {}});
  }
  TRYV(on_each([this](Target& t) -> Result<void> {
    TRY(t.positions, t.mirror->read_positions());
    x_top = std::max(x_top, t.positions.floor);
    for (const auto& [worker, applied] : t.positions.applied) {
      x_decided[worker] = std::max(x_decided[worker], applied);
      x_top = std::max(x_top, applied);
    }
    x_voided.insert(t.positions.voided.begin(), t.positions.voided.end());
    return ok();
  }));
  x_reader.scan([this](unsigned worker) {
    Sequence least = ~Sequence{0};
    for (const Target& t : x_targets) {
      least = std::min(least, t.positions.of(worker));
    }
    return least;
  });
  TRYV(check_drives());
  x_reader.drop_passed_over();
  x_top = std::max(x_top, x_reader.max_sequence());
  TRYV(drop_incomplete());
  for (const auto& [worker, blocks] : x_reader.blocks()) {
    x_cursors[worker] = {blocks.begin(), blocks.end(), {}, 0, false};
  }
  return ok();
}

// A block names the one before it, so a lost block shows as a gap; positions of other mirrors show
// blocks that are lost at the end. A mirror that needs a lost block is not a source of truth.
Result<void> Replay::chain_reaches(const Positions& from, unsigned worker) const {
  Sequence at = from.of(worker);
  if (const auto blocks = x_reader.blocks().find(worker); blocks != x_reader.blocks().end()) {
    for (const auto& [last, block] : blocks->second) {
      if (last > at) {
        if (block.header.previous > at) {
          return fail(Errc::corrupt, "the metadata journal of worker " + std::to_string(worker) +
                                         " lacks blocks on every drive");
        }
        at = last;
      }
    }
  }
  if (at < decided(worker)) {
    return fail(Errc::corrupt, "the mirror is behind and the journal is gone");
  }
  return ok();
}

Result<void> Replay::drop_incomplete() {
  std::set<unsigned> workers;
  for (const auto& [worker, sequence] : x_decided) {
    workers.insert(worker);
  }
  for (const auto& [worker, blocks] : x_reader.blocks()) {
    workers.insert(worker);
  }
  return on_each([&](Target& t) -> Result<void> {
    for (const unsigned worker : workers) {
      TRYV(chain_reaches(t.positions, worker));
    }
    return ok();
  });
}

// Transactions of all workers in the order of their sequences: the cursor with the lowest one.
Result<Replay::Cursor*> Replay::next_cursor() {
  Cursor* best = nullptr;
  for (auto& [worker, c] : x_cursors) {
    while (c.at == c.loaded.size() && c.next != c.end) {
      TRY(c.loaded, x_reader.load(c.next->second));
      c.at = 0;
      ++c.next;
      c.last_block = c.next == c.end;
    }
    if (c.at < c.loaded.size() &&
        (best == nullptr || c.loaded[c.at].sequence < best->loaded[best->at].sequence)) {
      best = &c;
    }
  }
  return best;
}

// A worker writes a block only when the one before is acked, so all but its last block were acked:
// they stay, whatever has become of their payload since. The last one stays if its payload is
// there. What a mirror has already decided, in a replay that was cut short, stays decided.
Task<bool> Replay::accept(const Cursor& cursor,
                          unsigned worker,
                          const Transaction& t,
                          ReplayOutcome& outcome) {
  if (cursor.last_block) {
    outcome.in_doubt.insert(outcome.in_doubt.end(), t.batch.fresh.begin(), t.batch.fresh.end());
  }
  if (t.sequence <= decided(worker)) {
    co_return !voided(t.sequence);
  }
  bool complete = true;
  for (const Extent& extent : t.batch.fresh) {
    CO_TRYV(co_await x_pool.run([this] { return write_out(); }));
    CO_TRY(const bool there, co_await x_companion.verify_and_complete(extent));
    complete = complete && there;
  }
  if (!complete && !cursor.last_block) {
    log::error("the payload of an acked transaction does not verify", {{"sequence", t.sequence}});
  }
  co_return complete || !cursor.last_block;
}

void Replay::add(unsigned worker, const Transaction& t, bool accepted) {
  for (Target& target : x_targets) {
    if (t.sequence <= target.positions.of(worker)) {
      continue;
    }
    if (!accepted) {
      target.batch->put(void_key(t.sequence), position_value(t.sequence));
    }
    for (const Mutation& m : t.batch.mutations) {
      if (!accepted) {
        break;
      }
      if (m.value) {
        target.batch->put(m.key, *m.value);
      } else {
        target.batch->erase(m.key);
      }
      x_pending_bytes += m.key.size() + (m.value ? m.value->size() : 0);
    }
    target.moved[worker] = t.sequence;
  }
}

Result<void> Replay::write_out() {
  TRYV(on_each([](Target& t) -> Result<void> {
    if (t.moved.empty()) {
      return ok();
    }
    for (const auto& [worker, sequence] : t.moved) {
      t.batch->put(position_key(worker), position_value(sequence));
      t.positions.applied[worker] = sequence;
    }
    t.moved.clear();
    const std::string rep = std::move(*t.batch).take();
    t.batch = std::make_unique<IndexBatch>();
    TRYV(t.mirror->index().apply(rep, true));
    return ok();
  }));
  x_pending_bytes = 0;
  return ok();
}

// Two flushes: no mirror may claim the floor before all have what lies below it.
Result<void> Replay::finish(ReplayOutcome& outcome) {
  TRYV(write_out());
  TRYV(on_each([](Target& t) { return t.mirror->index().flush(); }));
  outcome.floor = x_top + kSequenceGap;
  outcome.next_generation = x_reader.max_generation() + 1;
  TRYV(on_each([&outcome](Target& t) -> Result<void> {
    t.batch->put(floor_key(), position_value(outcome.floor));
    for (const Sequence sequence : t.positions.voided) {
      t.batch->erase(void_key(sequence));
    }
    TRYV(t.mirror->index().apply(std::move(*t.batch).take(), true));
    return t.mirror->index().flush();
  }));
  return ok();
}

Task<ReplayOutcome> Replay::run() {
  CO_TRYV(co_await x_pool.run([this] { return prepare(); }));
  ReplayOutcome outcome;
  for (;;) {
    CO_TRY(Cursor* const cursor, co_await x_pool.run([this] { return next_cursor(); }));
    if (cursor == nullptr) {
      break;
    }
    const Transaction t = std::move(cursor->loaded[cursor->at]);
    const unsigned worker = std::ranges::find_if(x_cursors, [cursor](const auto& entry) {
                              return &entry.second == cursor;
                            })->first;
    CO_TRY(const bool accepted, co_await accept(*cursor, worker, t, outcome));
    ++cursor->at;
    add(worker, t, accepted);
    ++(accepted ? outcome.transactions : outcome.refused);
    if (x_pending_bytes >= kWriteOutBytes) {
      CO_TRYV(co_await x_pool.run([this] { return write_out(); }));
    }
  }
  CO_TRYV(co_await x_pool.run([this, &outcome] { return finish(outcome); }));
  log::info("metadata journal replayed",
            {{"transactions", outcome.transactions}, {"refused", outcome.refused}});
  co_return outcome;
}

}  // namespace outcrop::meta
