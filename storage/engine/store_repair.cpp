// Repair and scrub in the background, and what is said about them.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/engine/store.h"
#include "storage/meta/tables.h"

namespace outcrop::engine {
namespace {

// After a pass that could not do all: until this, or until the drives change.
constexpr std::int64_t kRetryNs = 60'000'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

std::uint64_t Store::now_seconds() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(x_runtime.clock.wall_ns(), 0) /
                                    kSecondNs);
}

Task<std::uint64_t> Store::repair() {
  segment::FullSpeed pace;
  CO_TRY(const auto done,
         co_await x_segments.repair(pace, now_seconds(), [this] { return x_meta->checkpoint(); }));
  CO_TRYV(co_await look_after_leaving());
  co_return done.whole;
}

Task<> Store::restripe() { co_return co_await x_restriper->run(); }

Task<> Store::rebalance() { co_return co_await x_rebalancer->run(); }

// One after the other, on one worker.
SegmentId Store::being_rewritten() const {
  return x_restriper->victim() != 0 ? x_restriper->victim() : x_rebalancer->victim();
}

Task<> Store::scrub(std::uint64_t period_seconds) {
  segment::FullSpeed pace;
  CO_TRYV(co_await x_segments.scrub(pace, now_seconds(), period_seconds));
  co_return co_await scrub_metadata(period_seconds);
}

// What readers found first, then what is missing, then what can only be written anew, then what
// could lie better, and what is due to be read again: one segment of these, so that a drive that
// leaves meanwhile does not wait.
Task<> Store::repair_step() {
  x_pace->begin();
  CO_TRYV(co_await x_segments.repair_noted(*x_pace));
  CO_TRYV(co_await rebuild_step());
  CO_TRYV(co_await x_restriper->step(*x_pace, x_compactor->victim()));
  CO_TRYV(co_await x_rebalancer->step(*x_pace, x_compactor->victim()));
  CO_TRYV(co_await look_after_leaving());
  if (x_config.scrub_period_seconds > 0) {
    CO_TRYV(co_await x_segments.scrub(*x_pace, now_seconds(), x_config.scrub_period_seconds, 1));
    CO_TRYV(co_await scrub_metadata(x_config.scrub_period_seconds));
  }
  co_return ok();
}

// The mirrors, once in a period. The time is kept in memory first: a store that is read-only does
// not read them again and again.
Task<> Store::scrub_metadata(std::uint64_t period_seconds) {
  const std::string key = meta::table_key(meta::Table::system, "metadata_verified");
  if (!x_metadata_verified) {
    CO_TRY(const auto stored, co_await x_meta->get(key));
    Reader r(stored ? std::string_view(*stored) : std::string_view());
    const std::uint64_t last = r.varint();
    x_metadata_verified = r.done() ? last : 0;  // not there, or not to be read: they are due
  }
  const std::uint64_t now = now_seconds(), last = *x_metadata_verified;
  const std::uint64_t distance = now > last ? now - last : last - now;
  if (distance < period_seconds) {
    co_return ok();
  }
  x_metadata_verified = now;
  CO_TRYV(co_await x_meta->verify());
  Writer w;
  w.varint(now);
  meta::Batch batch;
  batch.put(key, std::move(w).take());
  co_return co_await x_meta->commit(std::move(batch));
}

Task<> Store::rebuild_step() {
  const segment::Survey survey = x_segments.survey();
  const std::int64_t now = x_runtime.clock.steady_ns();
  const bool changed = x_repaired_epoch != x_drives->epoch();
  const bool wanted =
      survey.open > 0 || survey.bytes_to_write > 0 || survey.leftovers > 0 || changed;
  if (!wanted || (!changed && now < x_retry_ns)) {
    co_return ok();
  }
  x_repaired_epoch = x_drives->epoch();
  if (survey.bytes_to_write > 0) {
    x_moved_before.store(x_segments.stats().moved_bytes.load());
    x_repair_began_ns.store(now);
    log::info("repair begins", {{"degraded", survey.degraded},
                                {"moving", survey.moving},
                                {"bytes", survey.bytes_to_write}});
  }
  auto done =
      co_await x_segments.repair(*x_pace, now_seconds(), [this] { return x_meta->checkpoint(); });
  if (x_repair_began_ns.exchange(0) != 0) {
    const segment::Survey after = x_segments.survey();
    log::info("repair ends", {{"degraded", after.degraded},
                              {"moving", after.moving},
                              {"blocked", after.blocked},
                              {"damaged", after.damaged}});
  }
  const bool all = done && done->failed == 0 && done->blocked == 0;
  x_retry_ns = all ? 0 : x_runtime.clock.steady_ns() + kRetryNs;
  CO_TRYV(std::move(done));
  co_return ok();
}

// Drives that drain are empty once metadata has gone too. One that is missing and was replaced is
// forgotten when no shard is missing with it any more.
Task<> Store::look_after_leaving() {
  const drives::EpochRecord record = x_drives->record();
  const segment::Survey survey = x_segments.survey();
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    const bool leaving = record.members[i].draining && !survey.slots.contains(slot);
    if (!leaving) {
      x_empty[slot].store(false);
    } else if (!record.members[i].live) {
      CO_TRYV(co_await forget(slot));
      log::info("a missing drive is forgotten: all it held is on others", {{"slot", i}});
    } else if (!x_empty[slot].load()) {
      CO_TRY(const bool needed, co_await x_meta->needs(slot));
      x_empty[slot].store(!needed);
      if (!needed) {
        log::info("a drive is drained", {{"drive", x_drives->disk(slot)->name()}});
      }
    }
  }
  co_return ok();
}

RepairStatus Store::repair_status(const segment::Survey& survey) const {
  const segment::SegmentStats& stats = x_segments.stats();
  RepairStatus out;
  out.segments = survey.segments;
  out.degraded = survey.degraded;
  out.moving = survey.moving;
  out.unreadable = survey.unreadable;
  out.damaged = survey.damaged;
  out.blocked = survey.blocked;
  out.bytes_left = survey.bytes_to_write;
  out.chunks_repaired = stats.repaired_chunks.load();
  out.shards_moved = stats.moved_shards.load();
  out.oldest_scrub = survey.oldest_verified;
  out.scrub_period_seconds = x_config.scrub_period_seconds;
  const std::int64_t began = x_repair_began_ns.load();
  out.running = began != 0;
  if (out.running) {
    out.bytes_done = stats.moved_bytes.load() - x_moved_before.load();
    const Rate rate = rate_of(out.bytes_done, out.bytes_left, x_runtime.clock.steady_ns() - began);
    out.bytes_per_second = rate.bytes_per_second;
    out.seconds_left = rate.seconds_left;
  }
  return out;
}

}  // namespace outcrop::engine
