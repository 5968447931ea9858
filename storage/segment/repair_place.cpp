// Where a shard that is missing, or is to move, goes.
#include <algorithm>

#include "storage/segment/allocator.h"
#include "storage/segment/repair.h"

namespace outcrop::segment {

// Blocking. True if everything has a place.
Result<bool> Repairer::place(Job& job) {
  const std::shared_lock placing(x_context.placing);
  for (unsigned i = 0; i < job.layout->slots.size(); ++i) {
    if ((job.todo & (1U << i)) == 0) {
      continue;
    }
    const drives::Slot slot = job.layout->slots[i];
    const bool usable = job.layout->files[i] && (job.segment->unreadable.load() & (1U << i)) == 0;
    if (!job.move && x_context.drives.live(slot) && !x_context.drives.draining(slot) && usable) {
      job.placed |= 1U << i;  // holes are filled where they are
      continue;
    }
    TRY(std::optional<NewShard> fresh, make_file(job, i));
    if (fresh) {
      job.placed |= 1U << i;
      job.fresh.push_back(*std::move(fresh));
    }
  }
  return job.placed == job.todo;
}

// Drives that hold no other shard of the segment, those with the most room first. One that the
// shard has moved away from lately keeps the file of that name until it is removed.
std::vector<drives::Slot> Repairer::candidates(const Job& job, unsigned shard) const {
  std::vector<std::pair<std::uint64_t, drives::Slot>> room;
  for (const drives::Slot slot : x_context.drives.placement_slots()) {
    const bool taken = std::ranges::find(job.layout->slots, slot) != job.layout->slots.end() ||
                       std::ranges::find(job.fresh, slot, &NewShard::slot) != job.fresh.end() ||
                       is_leftover(slot, job.segment->record.id, shard);
    const auto space = x_context.drives.disk(slot)->space();
    if (!taken && space) {
      room.emplace_back(space->free_bytes + x_spares.count(slot) * x_context.shard_bytes, slot);
    }
  }
  std::ranges::sort(room, std::greater{});
  std::vector<drives::Slot> out;
  for (const auto& [bytes, slot] : room) {
    out.push_back(slot);
  }
  return out;
}

// Empty: no drive can take it.
Result<std::optional<Repairer::NewShard>> Repairer::make_file(const Job& job, unsigned shard) {
  const drives::Slot home = job.layout->slots[shard];
  std::vector<drives::Slot> slots = candidates(job, shard);
  if (job.move) {
    std::erase_if(slots, [&job](drives::Slot slot) { return slot != job.move->to; });
  }
  const bool may_stay =
      !job.move && x_context.drives.live(home) && !x_context.drives.draining(home);
  if (may_stay) {
    slots.insert(slots.begin(), home);  // only its file is gone, or not to be used
  }
  for (const drives::Slot slot : slots) {
    auto fresh = make_file_on(job, shard, slot, slot == home);
    if (fresh) {
      return std::optional<NewShard>(*std::move(fresh));
    }
    if (fresh.error().code() != Errc::no_space) {
      TRYV(x_context.drives.eject(slot, fresh.error()));
      return fail(Errc::io_error, "a drive left while a shard was made");
    }
  }
  return std::optional<NewShard>();
}

// What compaction needs to make room is not for repair: it would make the drive full for good.
Result<void> Repairer::check_reserve(drives::Slot slot, std::uint64_t bytes) const {
  TRY(const std::uint64_t room, x_spares.room(slot));
  const std::uint64_t files = (bytes + x_context.shard_bytes - 1) / x_context.shard_bytes;
  return room >= kKeptShards + files ? ok()
                                     : fail(Errc::no_space, "the rest is kept for compaction");
}

Result<Repairer::NewShard> Repairer::make_file_on(const Job& job,
                                                  unsigned shard,
                                                  drives::Slot slot,
                                                  bool same_slot) {
  io::Disk& disk = *x_context.drives.disk(slot);
  const SegmentRecord& record = job.segment->record;
  const std::string path = shard_path(record.id, shard);
  NewShard fresh{.shard = shard,
                 .slot = slot,
                 .same_slot = same_slot,
                 .path = same_slot ? path + ".new" : path,
                 .file = nullptr};
  if (!x_context.drives.live(slot)) {
    return fail(Errc::io_error, "a drive left while a shard was made");
  }
  TRYV(check_reserve(slot, record.shard_bytes));
  TRYV(x_spares.take(slot, fresh.path, record.shard_bytes));
  auto file = disk.open(fresh.path, io::Access::read_write, io::Cache::direct);
  if (!file) {
    TRYV(x_spares.put_back(slot, fresh.path, record.shard_bytes));
    return fail(file.error());
  }
  fresh.file = *std::move(file);
  return fresh;
}

}  // namespace outcrop::segment
