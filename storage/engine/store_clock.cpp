// The time that the store has seen is kept with the metadata: docs/adr/0008-time.md.
#include "storage/base/log.h"
#include "storage/engine/store.h"
#include "storage/meta/tables.h"

namespace outcrop::engine {
namespace {

std::string time_key() { return meta::table_key(meta::Table::system, "time"); }

/// A machine that is less behind than this is not worth a word.
constexpr std::int64_t kWorthSayingNs = 60'000'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

Task<> Store::load_time() {
  if (x_runtime.floor == nullptr) {
    co_return ok();
  }
  CO_TRY(const auto stored, co_await x_meta->get(time_key()));
  Reader r(stored ? std::string_view(*stored) : std::string_view());
  const std::uint64_t last = r.varint();
  // Nothing to read is the first start, and a record that is damaged no reason not to start.
  if (r.done() && last <= INT64_MAX && !x_config.trust_clock) {
    x_runtime.floor->start_from(static_cast<std::int64_t>(last));
  } else {
    x_runtime.floor->trust();
  }
  if (const auto kept = co_await keep_time(0); !kept) {
    log::warn("the time is not kept for now", {{"error", kept.error().describe()}});
  }
  co_return ok();
}

// Written when it has gone on for so long.
Task<> Store::keep_time(std::int64_t most_ns) {
  if (x_runtime.floor == nullptr) {
    co_return ok();
  }
  const FlooredClock::Look now = x_runtime.floor->look();
  const bool was_behind = x_clock_behind_ns.exchange(now.behind_ns) >= kWorthSayingNs;
  if (now.behind_ns >= kWorthSayingNs && !was_behind) {
    log::error("the clock of this machine is behind what the store has seen: its own time goes on",
               {{"behind_seconds", now.behind_ns / kSecondNs}});
  }
  const std::int64_t gone_on = now.floor_ns - x_kept_time_ns;
  if (!x_meta->stats().writable || now.floor_ns <= 0 || (gone_on >= 0 && gone_on < most_ns)) {
    co_return ok();
  }
  Writer w;
  w.varint(static_cast<std::uint64_t>(now.floor_ns));
  meta::Batch batch;
  batch.put(time_key(), std::move(w).take());
  CO_TRYV(co_await x_meta->commit(std::move(batch)));
  x_kept_time_ns = now.floor_ns;
  co_return ok();
}

}  // namespace outcrop::engine
