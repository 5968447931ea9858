#include "storage/engine/restriper.h"

#include <algorithm>
#include <ranges>

#include "storage/base/log.h"

namespace outcrop::engine {
namespace {

constexpr double kSecondNs = 1e9;

}  // namespace

Restriper::Restriper(segment::SegmentStore& segments,
                     ns::TreeNamespace& tree,
                     drives::DriveSet& drives,
                     const Clock& clock,
                     std::int64_t after_ns,
                     std::function<bool()> room)
    : x_segments(segments),
      x_drives(drives),
      x_clock(clock),
      x_after_ns(after_ns),
      x_room(std::move(room)),
      x_evacuation(tree, segment::Purpose::upkeep) {}

// False: no drive is missing, and none drains, so that no segment can be stranded.
bool Restriper::note_losses(std::int64_t now) {
  const drives::EpochRecord record = x_drives.record();
  std::map<Uuid, std::int64_t> lost;
  bool drains = false;
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const drives::Member& member = record.members[i];
    drains |= member.draining;
    if (member.uuid.is_nil() || x_drives.live(static_cast<drives::Slot>(i))) {
      continue;
    }
    // Who replaced a drive does not wait for it.
    const std::int64_t since = member.draining ? now - x_after_ns : now;
    const auto [at, is_new] = x_lost.try_emplace(member.uuid, since);
    lost[member.uuid] = member.draining ? since : at->second;
  }
  x_lost = std::move(lost);
  return drains || !x_lost.empty();
}

// When what is lost is written anew. One more that is lost does not make the others wait again:
// less parity is left then.
std::optional<std::int64_t> Restriper::due() const {
  if (x_lost.empty() || x_after_ns == 0) {
    return std::nullopt;
  }
  return std::ranges::min(x_lost | std::views::values) + x_after_ns;
}

void Restriper::rest(MoveState state, std::int64_t due_ns) {
  const std::lock_guard lock(x_mutex);
  x_progress.state = state;
  x_progress.due_ns = due_ns;
  if (state != MoveState::no_room) {
    if (std::exchange(x_progress.began_ns, 0) != 0) {
      log::info("what could be written anew is", {{"bytes", x_progress.done}});
    }
    x_progress.done = 0;
  }
}

void Restriper::begin() {
  const std::lock_guard lock(x_mutex);
  x_progress.state = MoveState::running;
  if (x_progress.began_ns == 0) {
    x_progress.began_ns = x_clock.steady_ns();
    log::info("data is written anew over the drives that are left", {});
  }
}

// Sets the victim. False: nothing is to be done now.
bool Restriper::choose(SegmentId busy, bool at_once) {
  const std::int64_t now = x_clock.steady_ns();
  if (!note_losses(now)) {
    rest(MoveState::idle);
    return false;
  }
  const std::optional<std::int64_t> at = due();
  const bool lost_too = at_once || (at && now >= *at);
  bool waits = false, frees = false;
  {
    const std::lock_guard lock(x_mutex);
    x_progress.left.expire(now);
    for (const segment::Stranded& s : x_segments.survey().stranded) {
      if (s.segment == busy || x_progress.left.contains(s.segment)) {
        frees |= s.segment == busy || x_progress.left.empty(s.segment);
        continue;
      }
      if (!s.lost || lost_too) {
        x_victim = s;
        return true;
      }
      waits = true;
    }
  }
  if (waits && at) {
    rest(MoveState::waiting, *at);
  } else if (!frees) {  // else it goes on until that is done
    rest(MoveState::idle);
  }
  return false;
}

// True: all of the victim was looked at.
Task<bool> Restriper::move(std::uint64_t most_bytes) {
  CO_TRY(const Evacuation::Moved moved, co_await x_evacuation.move(x_victim.segment, most_bytes));
  x_bytes_done.fetch_add(moved.bytes, std::memory_order_relaxed);
  const std::lock_guard lock(x_mutex);
  x_progress.victim = std::min(x_victim.bytes, x_progress.victim + moved.bytes);
  co_return moved.finished;
}

Task<> Restriper::move_all(segment::Pace& pace, bool needs_room) {
  for (;;) {
    if (needs_room && !x_room()) {
      co_return fail(Errc::no_space, "the rest is for clients");
    }
    CO_TRY(const bool done, co_await move(kMoveBytesPerTurn));
    if (done) {
      co_return ok();
    }
    CO_TRYV(co_await pace.after(kMoveBytesPerTurn));
  }
}

// Also of a part of it: the next step goes on with what is left.
void Restriper::end(bool all) {
  const std::lock_guard lock(x_mutex);
  if (all) {
    x_segments_done.fetch_add(1, std::memory_order_relaxed);
    x_progress.done += x_victim.bytes;
  }
  x_progress.victim = 0;
  x_victim = {};
  x_evacuation.end();
}

Task<> Restriper::leave() {
  CO_TRY(const auto usage, co_await x_segments.usage(x_victim.segment));
  const std::lock_guard lock(x_mutex);
  x_progress.left.add(x_victim.segment, x_clock.steady_ns() + LeftAlone::kLongNs,
                      !usage || usage->references == 0);
  co_return ok();
}

Task<> Restriper::step(segment::Pace& pace, SegmentId busy) {
  if (!choose(busy, false)) {
    co_return ok();
  }
  begin();
  auto moved = co_await move_all(pace, true);
  const Errc code = moved ? Errc::internal : moved.error().code();
  const bool waits = !moved && (code == Errc::no_space || code == Errc::read_only);
  if (code == Errc::no_space) {
    rest(MoveState::no_room);
  }
  Result<void> left;
  if (!waits && code != Errc::cancelled) {
    left = co_await leave();
  }
  end(moved.has_value());
  co_return waits || moved ? left : std::move(moved);
}

Task<> Restriper::run() {
  {
    const std::lock_guard lock(x_mutex);
    x_progress.left.clear();
  }
  segment::FullSpeed pace;
  while (choose(0, true)) {
    begin();
    auto moved = co_await move_all(pace, false);
    const auto left = co_await leave();
    end(moved.has_value());
    CO_TRYV(std::move(moved));
    CO_TRYV(left);
  }
  co_return ok();
}

MoveStatus Restriper::status(const segment::Survey& survey) const {
  const std::lock_guard lock(x_mutex);
  MoveStatus out;
  out.state = x_progress.state;
  bool at_once = false;
  for (const segment::Stranded& s : survey.stranded) {
    if (!x_progress.left.contains(s.segment) && (!s.lost || x_after_ns != 0)) {
      ++out.segments;
      out.bytes_left += s.bytes;
      at_once |= !s.lost;
    }
  }
  // What has changed since the last step is told at once.
  if (out.state == MoveState::waiting || out.state == MoveState::idle) {
    out.state = at_once            ? MoveState::running
                : out.segments > 0 ? MoveState::waiting
                                   : MoveState::idle;
  }
  out.bytes_left -= std::min(out.bytes_left, x_progress.victim);
  out.bytes_done = x_progress.done + x_progress.victim;
  const std::int64_t now = x_clock.steady_ns();
  if (out.state == MoveState::waiting) {
    const std::int64_t wait = x_progress.due_ns == 0 ? x_after_ns : x_progress.due_ns - now;
    out.wait_seconds = static_cast<double>(std::max<std::int64_t>(wait, 0)) / kSecondNs;
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
