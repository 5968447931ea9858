#include "storage/engine/rebalancer.h"

#include <algorithm>

#include "storage/base/log.h"

namespace outcrop::engine {
namespace {

// While there is nothing to do: it looks at all segments.
constexpr std::int64_t kLookNs = 60'000'000'000;
constexpr std::int64_t kRetryNs = 5'000'000'000;
constexpr std::size_t kMovesPerStep = 8;  // each step ends with a checkpoint
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr double kSecondNs = 1e9;

}  // namespace

Rebalancer::Rebalancer(segment::SegmentStore& segments,
                       ns::TreeNamespace& tree,
                       drives::DriveSet& drives,
                       const Clock& clock,
                       std::int64_t after_ns,
                       std::function<Task<>()> checkpoint,
                       std::function<Task<std::uint64_t>()> collect)
    : x_segments(segments),
      x_drives(drives),
      x_clock(clock),
      x_after_ns(after_ns),
      x_checkpoint(std::move(checkpoint)),
      x_collect(std::move(collect)),
      x_evacuation(tree, segment::Purpose::rebalance) {}

bool Rebalancer::runs() const {
  const std::lock_guard lock(x_mutex);
  return x_progress.began_ns != 0;
}

// Whether it is time to look at the segments. Who adds several drives adds one after the other:
// what lies over all but the last would be written twice.
bool Rebalancer::looks(std::int64_t now) {
  std::vector<drives::Slot> slots = x_drives.placement_slots();
  if (slots != x_slots) {
    x_slots = std::move(slots);
    x_same_since = now;
    x_next_look = now;
  }
  x_left.expire(now);
  return now >= x_next_look;
}

// What lacks a shard, or leaves a drive, is repaired or written anew first.
bool Rebalancer::others_first() const {
  const segment::Survey survey = x_segments.survey();
  return survey.degraded + survey.moving + survey.leftovers > 0;
}

Task<segment::BalancePlan> Rebalancer::plan(SegmentId busy) {
  CO_TRY(segment::Balance balance, co_await x_segments.balance(x_left.garbage()));
  x_frees = balance.garbage > 0;
  std::erase_if(balance.segments, [this, busy](const segment::BalanceSegment& s) {
    return s.id == busy || x_left.contains(s.id);
  });
  co_return co_await x_segments.plan(std::move(balance), runs());
}

Task<> Rebalancer::rest() {
  x_next_look = x_clock.steady_ns() + kLookNs;
  bool ends = false;
  {
    const std::lock_guard lock(x_mutex);
    ends = x_progress.began_ns != 0;
    if (ends) {
      log::info("data is not spread any further", {{"bytes", x_progress.done}});
    }
    x_progress = {};
  }
  x_aim.clear();
  co_return ends ? co_await x_segments.end_aim() : ok();
}

Task<> Rebalancer::wait(const segment::BalancePlan& plan, std::int64_t due) {
  CO_TRYV(co_await rest());
  x_next_look = std::min(x_next_look, due);
  const std::lock_guard lock(x_mutex);
  x_progress.state = MoveState::waiting;
  x_progress.due_ns = due;
  x_progress.segments = plan.narrow.size();
  x_progress.shards = plan.moves.size();
  x_progress.bytes_left = plan.bytes();
  co_return ok();
}

// Garbage that is freed makes room.
void Rebalancer::put_off(Errc code) {
  x_next_look = x_clock.steady_ns() + kRetryNs;
  if (code == Errc::no_space && !x_frees) {
    const std::lock_guard lock(x_mutex);
    x_progress.state = MoveState::no_room;
  }
}

Task<> Rebalancer::begin(const segment::BalancePlan& plan) {
  x_next_look = 0;
  {
    const std::lock_guard lock(x_mutex);
    x_progress.state = MoveState::running;
    x_progress.segments = plan.narrow.size();
    x_progress.shards = plan.moves.size();
    x_progress.bytes_left = plan.bytes();
    if (x_progress.began_ns == 0) {
      x_progress.began_ns = x_clock.steady_ns();
      log::info("data is spread over the drives that are here",
                {{"segments", plan.narrow.size()}, {"shards", plan.moves.size()}});
    }
  }
  if (!plan.narrow.empty() && x_aim != plan.roomy) {
    x_aim = plan.roomy;
    CO_TRYV(co_await x_segments.aim(x_aim));
  }
  co_return ok();
}

Task<> Rebalancer::step(segment::Pace& pace, SegmentId busy) {
  const std::int64_t now = x_clock.steady_ns();
  if (x_after_ns == 0 || !looks(now)) {
    co_return ok();
  }
  if (others_first()) {
    co_return co_await rest();
  }
  CO_TRY(segment::BalancePlan todo, co_await plan(busy));
  if (todo.empty()) {
    const bool goes_on = x_frees && runs();
    co_return goes_on ? ok() : co_await rest();
  }
  const std::int64_t due = x_same_since + x_after_ns;
  if (now < due && !todo.starved) {
    co_return co_await wait(todo, due);
  }
  auto done = co_await work(std::move(todo), pace);
  if (done) {
    co_return ok();
  }
  const Errc code = done.error().code();
  put_off(code);
  co_return code == Errc::no_space || code == Errc::read_only ? ok() : std::move(done);
}

Task<> Rebalancer::run() {
  x_left.clear();
  segment::FullSpeed pace;
  for (;;) {
    CO_TRY(segment::BalancePlan todo, co_await plan(0));
    if (todo.empty()) {
      co_return co_await rest();
    }
    CO_TRYV(co_await work(std::move(todo), pace));
  }
}

Task<> Rebalancer::work(segment::BalancePlan plan, segment::Pace& pace) {
  CO_TRYV(co_await begin(plan));
  if (plan.moves.empty() && plan.crowded) {
    CO_TRY(const std::uint64_t freed, co_await x_collect());
    co_return freed > 0 ? ok() : fail(Errc::no_space, "garbage that somebody reads is not freed");
  }
  if (plan.moves.empty()) {
    co_return co_await widen(plan.narrow.front(), pace);
  }
  plan.moves.resize(std::min(plan.moves.size(), kMovesPerStep));
  co_return co_await move_shards(std::move(plan.moves), pace);
}

// What could not be moved is left alone for a while.
Task<> Rebalancer::move_shards(std::vector<segment::ShardMove> moves, segment::Pace& pace) {
  const std::int64_t now = x_clock.steady_ns();
  const auto wall =
      static_cast<std::uint64_t>(std::max<std::int64_t>(x_clock.wall_ns(), 0) / kNsPerSecond);
  CO_TRY(const std::uint64_t moved,
         co_await x_segments.move_shards(moves, pace, wall, x_checkpoint));
  if (moved < moves.size()) {
    x_left.add(moves[moved].segment, now + kLookNs, false);
  }
  const std::uint64_t bytes = moved * moves.front().bytes;
  x_shards_done.fetch_add(moved, std::memory_order_relaxed);
  x_bytes_done.fetch_add(bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(x_mutex);
    x_progress.done += bytes;
    x_progress.bytes_left -= std::min(x_progress.bytes_left, bytes);
    x_progress.shards -= std::min(x_progress.shards, moved);
  }
  co_return ok();
}

Task<> Rebalancer::evacuate(segment::Pace& pace) {
  for (;;) {
    CO_TRY(const Evacuation::Moved moved,
           co_await x_evacuation.move(x_victim.segment, kMoveBytesPerTurn));
    x_bytes_done.fetch_add(moved.bytes, std::memory_order_relaxed);
    {
      const std::lock_guard lock(x_mutex);
      x_progress.victim = std::min(x_victim.bytes, x_progress.victim + moved.bytes);
    }
    if (moved.finished) {
      co_return ok();
    }
    CO_TRYV(co_await pace.after(kMoveBytesPerTurn));
  }
}

Task<> Rebalancer::leave() {
  CO_TRY(const auto usage, co_await x_segments.usage(x_victim.segment));
  x_left.add(x_victim.segment, x_clock.steady_ns() + LeftAlone::kLongNs,
             !usage || usage->references == 0);
  co_return ok();
}

Task<> Rebalancer::widen(const segment::Narrow& narrow, segment::Pace& pace) {
  x_victim = narrow;
  auto moved = co_await evacuate(pace);
  const Errc code = moved ? Errc::internal : moved.error().code();
  Result<void> left;
  if (code != Errc::no_space && code != Errc::read_only && code != Errc::cancelled) {
    left = co_await leave();
  }
  if (moved) {
    x_segments_done.fetch_add(1, std::memory_order_relaxed);
  }
  {
    const std::lock_guard lock(x_mutex);
    x_progress.victim = 0;
    if (moved) {
      x_progress.done += x_victim.bytes;
      x_progress.bytes_left -= std::min(x_progress.bytes_left, x_victim.bytes);
      x_progress.segments -= std::min<std::uint64_t>(x_progress.segments, 1);
    }
  }
  x_victim = {};
  x_evacuation.end();
  co_return moved ? left : std::move(moved);
}

MoveStatus Rebalancer::status() const {
  const std::lock_guard lock(x_mutex);
  MoveStatus out;
  out.state = x_progress.state;
  out.segments = x_progress.segments;
  out.shards = x_progress.shards;
  out.bytes_left = x_progress.bytes_left - std::min(x_progress.bytes_left, x_progress.victim);
  out.bytes_done = x_progress.done + x_progress.victim;
  const std::int64_t now = x_clock.steady_ns();
  if (out.state == MoveState::waiting) {
    out.wait_seconds =
        static_cast<double>(std::max<std::int64_t>(x_progress.due_ns - now, 0)) / kSecondNs;
  }
  if (x_progress.began_ns != 0) {
    const Rate rate = rate_of(out.bytes_done, out.bytes_left, now - x_progress.began_ns);
    out.bytes_per_second = rate.bytes_per_second;
    if (out.state == MoveState::running) {
      out.seconds_left = rate.seconds_left;
    }
  }
  return out;
}

}  // namespace outcrop::engine
