// What rebalancing asks of the store: how data lies, and shards moved to other drives.
#include "storage/base/log.h"
#include "storage/segment/segment_store.h"

namespace outcrop::segment {
namespace {

template <class Worker>
Task<> leave_narrow(Worker& worker, std::size_t drives) {
  worker.large.lane.leave_narrow(drives);
  worker.upkeep.lane.leave_narrow(drives);
  co_return ok();
}

}  // namespace

Task<Balance> SegmentStore::balance(std::set<SegmentId> garbage) {
  Balance out;
  const std::vector<drives::Slot> slots = x_context.drives.placement_slots();
  const auto parity = x_context.drives.write_parity(slots.size());
  if (!parity) {
    co_return out;  // read-only
  }
  out.parity = *parity;
  out.shard_bytes = x_context.shard_bytes;
  std::map<drives::Slot, DriveFill> drives;
  CO_TRYV(co_await x_context.pool.run([&]() -> Result<void> {
    for (const drives::Slot slot : slots) {
      const auto room = x_spares.room(slot);
      if (!room) {
        TRYV(x_context.drives.eject(slot, room.error()));
        return fail(Errc::io_error, "a drive left while its room was looked at");
      }
      drives[slot] = {.slot = slot, .used = 0, .room = *room * x_context.shard_bytes};
    }
    return ok();
  }));
  for (const SegmentPtr& segment : x_catalogue.all()) {
    const bool needed = !garbage.contains(segment->record.id);
    out.garbage += needed ? 0 : 1;
    for (const drives::Slot slot : segment->layout()->slots) {
      if (const auto drive = drives.find(slot); drive != drives.end()) {
        (needed ? drive->second.used : drive->second.room) += segment->record.shard_bytes;
        drive->second.garbage += needed ? 0 : segment->record.shard_bytes;
      }
    }
  }
  for (const auto& [slot, drive] : drives) {
    out.drives.push_back(drive);
  }
  for (const SegmentPtr& segment : x_repairer.whole()) {
    const SegmentRecord& record = segment->record;
    if (!garbage.contains(record.id)) {
      out.segments.push_back({record.id, record.k, record.m, record.small, record.shard_bytes,
                              segment->layout()->slots});
    }
  }
  co_return out;
}

Task<BalancePlan> SegmentStore::plan(Balance balance, bool runs) {
  co_return co_await x_context.pool.run(
      [&balance, runs] { return Result<BalancePlan>(plan_balance(balance, runs)); });
}

Task<> SegmentStore::aim(std::vector<drives::Slot> slots) {
  const std::size_t drives = std::min<std::size_t>(slots.size(), kMaxShards);
  x_allocator.aim(std::move(slots));
  for (std::size_t i = 0; i < x_workers.size(); ++i) {
    CO_TRYV(co_await asio::co_spawn(x_context.workers[i]->get_executor(),
                                    leave_narrow(*x_workers[i], drives), use_async));
  }
  co_return ok();
}

Task<std::uint64_t> SegmentStore::move_shards(std::vector<ShardMove> moves,
                                              Pace& pace,
                                              std::uint64_t now_seconds,
                                              const std::function<Task<>()>& checkpoint) {
  CO_TRYV(co_await finish_moves(checkpoint));
  std::uint64_t moved = 0;
  Result<void> failed;
  for (const ShardMove& move : moves) {
    const SegmentPtr segment = x_catalogue.find(move.segment);
    if (!segment) {
      break;  // it was freed
    }
    const auto done = co_await x_repairer.repair(segment, RepairMode::rebuild, pace, now_seconds,
                                                 Repairer::Move{move.shard, move.to});
    if (!done) {
      failed = fail(done.error());
      break;
    }
    if (*done != RepairOutcome::whole) {
      break;
    }
    ++moved;
  }
  CO_TRYV(co_await finish_moves(checkpoint));
  CO_TRYV(std::move(failed));
  co_return moved;
}

}  // namespace outcrop::segment
