#include "storage/engine/compactor.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace outcrop::engine {
namespace {

constexpr std::size_t kReferencesPerStep = 20'000;  // looked at while there is room
constexpr std::size_t kReferencesPerScan = 50;      // that finding the first one costs as much as
constexpr std::uint64_t kBytesPerStep = 8 << 20;
constexpr unsigned kRestSteps = 120;  // between rounds: a minute
constexpr unsigned kStuckRounds = 60;
constexpr std::size_t kColdRounds = 10;  // what lives longer is not likely to be replaced soon
// With little room left, clients wait for what this wins.
constexpr std::uint64_t kUrgentFactor = 8;

// Reading a small record that was striped costs more: it is done where there is no room to spare.
bool scarce(std::uint64_t free, std::uint64_t total) { return free < total / 4; }

// `stripe_cost`: of small records that are to be striped.
bool worth_moving(const segment::SegmentStore::Usage& usage,
                  double garbage,
                  std::optional<double> stripe_cost) {
  const auto live = static_cast<double>(usage.live);
  if (live <= (1 - garbage) * static_cast<double>(usage.capacity)) {
    return true;
  }
  return usage.small && stripe_cost &&
         live * *stripe_cost <= (1 - garbage) * static_cast<double>(usage.taken);
}

}  // namespace

double worthwhile_garbage(std::uint64_t free, std::uint64_t total) {
  if (Compactor::urgent(free, total)) {
    return 0.1;
  }
  return scarce(free, total) ? 0.25 : free < total / 2 ? 0.5 : 0.75;
}

void Compactor::begin_round() {
  if (!x_round.empty()) {
    x_ends.push_back(x_round.back());
  }
  if (x_ends.size() > kColdRounds) {
    x_ends.pop_front();
  }
  x_round = x_segments.sealed();
  x_next = 0;
  x_rest = kRestSteps;
  for (auto it = x_stuck.begin(); it != x_stuck.end();) {
    it = --it->second == 0 ? x_stuck.erase(it) : std::next(it);
  }
}

// The next that is worth it, as far as `share` goes.
Task<> Compactor::measure(double garbage, std::optional<double> stripe_cost, Share& share) {
  while (share.references > 0 && x_victim == 0 && !round_done()) {
    const SegmentId id = x_round[x_next++];
    if (id == x_busy() || x_stuck.contains(id)) {
      continue;
    }
    CO_TRY(const auto usage, co_await x_segments.usage(id));
    if (!usage) {
      continue;
    }
    share.references -= std::min(share.references, kReferencesPerScan + usage->references);
    const bool cold = x_ends.size() == kColdRounds && id <= x_ends.front();
    const std::optional<double> cost = cold ? stripe_cost : std::nullopt;
    // One that nothing refers to is for garbage collection.
    if (usage->references > 0 && worth_moving(*usage, garbage, cost)) {
      x_victim = id;
    }
  }
  co_return ok();
}

Task<> Compactor::move(Share& share) {
  CO_TRY(const ns::Relocated moved,
         co_await x_tree.relocate(x_victim, share.bytes, segment::Purpose::upkeep));
  share.bytes -= std::min(share.bytes, moved.bytes);
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

Task<> Compactor::work(std::uint64_t free, std::uint64_t total) {
  const std::uint64_t factor = urgent(free, total) ? kUrgentFactor : 1;
  const double garbage = worthwhile_garbage(free, total);
  const std::optional<double> cost = scarce(free, total) ? x_segments.stripe_cost() : std::nullopt;
  Share share{kBytesPerStep * factor, kReferencesPerStep * factor};
  while (share.bytes > 0) {
    CO_TRYV(co_await measure(garbage, cost, share));
    if (x_victim == 0) {
      break;
    }
    CO_TRYV(co_await move(share));
  }
  co_return ok();
}

Task<> Compactor::step(std::uint64_t free, std::uint64_t total) {
  if (x_victim == 0 && round_done()) {
    if (x_rest > 0 && !urgent(free, total)) {
      --x_rest;
      co_return ok();
    }
    begin_round();
  }
  auto done = co_await work(free, total);
  if (done) {
    co_return ok();
  }
  x_victim = 0;
  const Errc code = done.error().code();
  co_return code == Errc::no_space || code == Errc::read_only ? ok() : std::move(done);
}

Task<> Compactor::run(double garbage) {
  begin_round();
  x_stuck.clear();
  x_victim = 0;
  while (!round_done() || x_victim != 0) {
    Share all{UINT64_MAX, SIZE_MAX};
    CO_TRYV(co_await measure(garbage, std::nullopt, all));
    if (x_victim != 0) {
      CO_TRYV(co_await move(all));
    }
  }
  co_return ok();
}

}  // namespace outcrop::engine
