#include "storage/engine/compactor.h"

#include <utility>

namespace outcrop::engine {
namespace {

constexpr std::size_t kReferencesPerStep = 20'000;  // looked at while there is room
constexpr std::size_t kReferencesPerScan = 50;      // that finding the first one costs as much as
constexpr std::uint64_t kBytesPerStep = 8 << 20;
constexpr unsigned kRestSteps = 120;  // between rounds: a minute
constexpr unsigned kStuckRounds = 60;
// With little room left, clients wait for what this wins.
constexpr std::uint64_t kUrgentFactor = 8;

bool urgent(std::uint64_t free, std::uint64_t total) { return free < total / 10; }

}  // namespace

double worthwhile_garbage(std::uint64_t free, std::uint64_t total) {
  if (urgent(free, total)) {
    return 0.1;
  }
  return free < total / 4 ? 0.25 : free < total / 2 ? 0.5 : 0.75;
}

void Compactor::begin_round() {
  x_round = x_segments.sealed();
  x_next = 0;
  x_rest = kRestSteps;
  for (auto it = x_stuck.begin(); it != x_stuck.end();) {
    it = --it->second == 0 ? x_stuck.erase(it) : std::next(it);
  }
}

Task<> Compactor::measure(double garbage, std::size_t most_references, SegmentId busy) {
  for (std::size_t seen = 0; seen < most_references && x_victim == 0 && !round_done();) {
    const SegmentId id = x_round[x_next++];
    if (id == busy || x_stuck.contains(id)) {
      continue;
    }
    CO_TRY(const auto usage, co_await x_segments.usage(id));
    if (!usage) {
      continue;
    }
    seen += kReferencesPerScan + usage->references;
    const auto most_live =
        static_cast<std::uint64_t>((1 - garbage) * static_cast<double>(usage->capacity));
    // One that nothing refers to is for garbage collection.
    if (usage->references > 0 && usage->live <= most_live) {
      x_victim = id;
    }
  }
  co_return ok();
}

Task<> Compactor::move(std::uint64_t most_bytes) {
  CO_TRY(const ns::Relocated moved,
         co_await x_tree.relocate(x_victim, most_bytes, segment::Purpose::upkeep));
  x_stats.bytes.fetch_add(moved.bytes, std::memory_order_relaxed);
  x_moved |= moved.bytes > 0;
  if (moved.finished) {
    if (!std::exchange(x_moved, false)) {
      x_stuck[x_victim] = kStuckRounds;
    } else {
      x_stats.segments.fetch_add(1, std::memory_order_relaxed);
    }
    x_victim = 0;
  }
  co_return ok();
}

Task<> Compactor::step(std::uint64_t free, std::uint64_t total, SegmentId busy) {
  const bool hurry = urgent(free, total);
  const std::uint64_t factor = hurry ? kUrgentFactor : 1;
  if (x_victim == 0 && round_done()) {
    if (x_rest > 0 && !hurry) {
      --x_rest;
      co_return ok();
    }
    begin_round();
  }
  if (x_victim == 0) {
    CO_TRYV(co_await measure(worthwhile_garbage(free, total), kReferencesPerStep * factor, busy));
  }
  if (x_victim == 0) {
    co_return ok();
  }
  auto moved = co_await move(kBytesPerStep * factor);
  if (!moved) {
    x_victim = 0;
    const Errc code = moved.error().code();
    if (code != Errc::no_space && code != Errc::read_only) {
      co_return moved;
    }
  }
  co_return ok();
}

Task<> Compactor::run(double garbage) {
  begin_round();
  x_stuck.clear();
  x_victim = 0;
  while (!round_done() || x_victim != 0) {
    CO_TRYV(co_await measure(garbage, SIZE_MAX, 0));
    if (x_victim != 0) {
      CO_TRYV(co_await move(UINT64_MAX));
    }
  }
  co_return ok();
}

}  // namespace outcrop::engine
