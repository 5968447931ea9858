// What the store does about drives that came and went.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/segment/segment_store.h"

namespace outcrop::segment {

// All segments of the runs before are sealed. What they lack, on drives that were out then, is on
// record before those drives count as plain live ones.
Task<> SegmentStore::close_segments(std::uint64_t now_seconds) {
  if (auto closed = co_await x_repairer.close_segments(now_seconds); !closed) {
    if (closed.error().code() != Errc::read_only) {
      co_return closed;
    }
    log::warn("segments stay open while the store is read-only", {});
    co_return ok();
  }
  co_return co_await x_repairer.settle_returning();
}

namespace {

template <class Worker>
Task<> leave_there(Worker& worker) {
  worker.small.leave_unusable();
  worker.large.lane.leave_unusable();
  worker.upkeep.lane.leave_unusable();
  worker.rebalance.lane.leave_unusable();
  co_return ok();
}

}  // namespace

// Lanes that nothing was written to since a drive left still have segments open on it.
Task<> SegmentStore::leave_unusable() {
  for (std::size_t i = 0; i < x_workers.size(); ++i) {
    CO_TRYV(co_await asio::co_spawn(x_context.workers[i]->get_executor(),
                                    leave_there(*x_workers[i]), use_async));
  }
  co_return ok();
}

// Who reads or repairs has a share of the layout that it began with; who writes keeps the segment
// from being closed.
Task<> SegmentStore::let_go(drives::Slot slot, std::uint64_t now_seconds) {
  CO_TRYV(co_await leave_unusable());
  CO_TRYV(co_await close_segments(now_seconds));
  for (const SegmentPtr& segment : x_catalogue.all()) {
    if (!segment->closed.load()) {
      continue;
    }
    segment->update_layout([this, slot](Layout& layout) {
      for (unsigned i = 0; i < layout.slots.size(); ++i) {
        if (layout.slots[i] == slot && !x_context.drives.live(slot)) {
          layout.files[i] = nullptr;
        }
      }
    });
  }
  x_spares.forget(slot);
  co_return ok();
}

// Nobody places files meanwhile, so that one which no record names is nobody's. Repair may be
// moving a shard away: its file is a leftover then.
Result<void> SegmentStore::take_back(drives::Slot slot, const std::function<void()>& show) {
  const std::lock_guard alone(x_context.placing);
  show();
  for (const SegmentPtr& segment : x_catalogue.all()) {
    const LayoutPtr layout = segment->layout();
    for (unsigned i = 0; i < layout->slots.size(); ++i) {
      if (layout->slots[i] == slot) {
        segment->absent |= 1U << i;
        segment->expect_shard(i);
      }
    }
  }
  x_spares.forget(slot);
  TRYV(x_spares.load(slot));
  return adopt_files(slot);
}

Task<SegmentStore::PassResult> SegmentStore::repair(Pace& pace,
                                                    std::uint64_t now_seconds,
                                                    const std::function<Task<>()>& checkpoint) {
  CO_TRYV(co_await leave_unusable());
  CO_TRYV(co_await close_segments(now_seconds));
  CO_TRYV(co_await finish_moves(checkpoint));
  PassResult out;
  CO_TRYV(co_await work_on(x_repairer.worklist(), RepairMode::rebuild, pace, now_seconds, out));
  CO_TRYV(co_await finish_moves(checkpoint));
  co_return out;
}

// Also before a pass: one that failed has left files, and their names are needed.
Task<> SegmentStore::finish_moves(const std::function<Task<>()>& checkpoint) {
  CO_TRYV(co_await x_repairer.take_back());
  if (x_repairer.has_leftovers()) {
    CO_TRYV(co_await checkpoint());
    CO_TRYV(co_await x_repairer.remove_leftovers());
  }
  co_return ok();
}

Task<SegmentStore::PassResult> SegmentStore::scrub(Pace& pace,
                                                   std::uint64_t now_seconds,
                                                   std::uint64_t period_seconds,
                                                   std::size_t most) {
  PassResult out;
  std::vector<SegmentPtr> due = x_repairer.due(now_seconds, period_seconds);
  due.resize(std::min(due.size(), most));
  CO_TRYV(co_await work_on(std::move(due), RepairMode::scrub, pace, now_seconds, out));
  co_return out;
}

Task<> SegmentStore::repair_noted(Pace& pace) {
  for (const DamageNotes::Note& note : x_context.damage.take()) {
    const SegmentPtr segment = x_catalogue.find(note.segment);
    if (segment && segment->closed.load()) {
      CO_TRYV(co_await x_repairer.repair_range(segment, note.from, note.to, pace));
    } else if (segment) {
      x_context.damage.add(note);  // it is still written to
    }
  }
  co_return ok();
}

Task<> SegmentStore::work_on(std::vector<SegmentPtr> segments,
                             RepairMode mode,
                             Pace& pace,
                             std::uint64_t now_seconds,
                             PassResult& out) {
  for (const SegmentPtr& segment : segments) {
    auto done = co_await x_repairer.repair(segment, mode, pace, now_seconds);
    if (!done && done.error().code() == Errc::cancelled) {
      co_return fail(done.error());
    }
    if (!done) {
      log::warn("a segment could not be repaired yet",
                {{"segment", segment->record.id}, {"error", done.error().describe()}});
      ++out.failed;
      continue;
    }
    out.whole += *done == RepairOutcome::whole ? 1 : 0;
    out.blocked += *done == RepairOutcome::blocked ? 1 : 0;
    out.damaged += *done == RepairOutcome::damaged ? 1 : 0;
  }
  co_return ok();
}

}  // namespace outcrop::segment
