// The commit that moves shards, and what becomes of the files that they moved away from.
#include <algorithm>
#include <bit>

#include "storage/base/log.h"
#include "storage/meta/tables.h"
#include "storage/segment/repair.h"

namespace outcrop::segment {

// The new files are whole: those that replace a file of the same drive get its name. A drive that
// left since they were written does not count.
Task<> Repairer::take_names(Job& job) {
  const SegmentId id = job.segment->record.id;
  for (NewShard& fresh : job.fresh) {
    if (fresh.same_slot) {
      CO_TRYV(co_await x_context.pool.run([this, &fresh, id] {
        return x_context.drives.disk(fresh.slot)->rename(fresh.path, shard_path(id, fresh.shard));
      }));
    }
  }
  const auto here = [this](const NewShard& fresh) { return x_context.drives.live(fresh.slot); };
  co_return std::ranges::all_of(job.fresh, here)
      ? ok()
      : fail(Errc::io_error, "a drive left while a shard was moved to it");
}

// The commit that moves the shards, and what follows from it in memory.
Task<> Repairer::publish(Job& job, std::uint64_t verified) {
  Segment& segment = *job.segment;
  const Layout& now = *job.layout;
  std::vector<Leftover> left;
  for (unsigned i = 0; i < now.slots.size(); ++i) {
    // What a drive that left meanwhile did not give says nothing about its sectors.
    job.found.unreadable &= x_context.drives.live(now.slots[i]) ? ~ShardMask{0} : ~(1U << i);
  }
  for (const NewShard& fresh : job.fresh) {
    const ShardMask bit = 1U << fresh.shard;
    const drives::Slot old = now.slots[fresh.shard];
    // It may have been out when the job began, and back by now.
    if (old != fresh.slot && x_context.drives.live(old)) {
      const bool lacks = !now.files[fresh.shard] || ((now.holes | job.found.lacking) & bit) != 0;
      left.push_back({old, segment.record.id, fresh.shard, lacks});
    }
  }
  const auto move = [&job](Layout& layout) {
    for (const NewShard& fresh : job.fresh) {
      layout.slots[fresh.shard] = fresh.slot;
      layout.files[fresh.shard] = fresh.file;
    }
    layout.holes = (layout.holes & ~job.placed) | job.found.unreadable;
  };
  Layout next = now;
  move(next);
  SegmentRecord record = segment.current();
  record.slots = next.slots;
  record.holes = next.holes;
  record.verified = verified;
  meta::Batch batch;
  batch.put(meta::segment_key(record.id), encode(record));
  // If it fails the new files stay: it may be found at the next start all the same.
  CO_TRYV(co_await x_context.meta->commit(std::move(batch)));
  segment.verified.store(verified);
  segment.unreadable.store((segment.unreadable.load() & ~job.placed) | job.found.unreadable);
  segment.update_layout(move);
  x_context.stats.moved_shards.fetch_add(job.fresh.size(), std::memory_order_relaxed);
  x_context.stats.moved_bytes.fetch_add(
      static_cast<std::uint64_t>(std::popcount(job.placed)) * record.shard_bytes,
      std::memory_order_relaxed);
  const std::lock_guard lock(x_mutex);
  std::ranges::move(left, std::back_inserter(x_leftovers));
  co_return ok();
}

// New files of a repair that came to nothing are of use for the next one.
Task<> Repairer::drop(Job& job) {
  co_return co_await x_context.pool.run([this, &job]() -> Result<void> {
    for (NewShard& fresh : job.fresh) {
      fresh.file.reset();
      if (!x_context.drives.live(fresh.slot)) {
        continue;
      }
      auto given = x_spares.give_back(fresh.slot, fresh.path, job.segment->record.shard_bytes);
      if (!given) {
        x_spares.left_behind(fresh.slot, fresh.path, given.error());
      }
    }
    return ok();
  });
}

std::vector<Repairer::Leftover> Repairer::leftovers() const {
  const std::lock_guard lock(x_mutex);
  return x_leftovers;
}

bool Repairer::is_leftover(drives::Slot slot, SegmentId segment, unsigned shard) const {
  const std::lock_guard lock(x_mutex);
  return std::ranges::any_of(x_leftovers, [&](const Leftover& left) {
    return left.slot == slot && left.segment == segment && left.shard == shard;
  });
}

void Repairer::forget(const Leftover& left) {
  const std::lock_guard lock(x_mutex);
  std::erase(x_leftovers, left);
}

Task<> Repairer::take_back() {
  for (const Leftover& left : leftovers()) {
    CO_TRY(const bool done, co_await take_back_one(left));
    if (done) {
      forget(left);
    }
  }
  co_return ok();
}

// True if the file is no leftover any more.
Task<bool> Repairer::take_back_one(Leftover left) {
  const SegmentPtr segment = x_catalogue.find(left.segment);
  if (!segment) {
    co_return false;  // it was freed
  }
  const SegmentClaim claim(*segment);
  const LayoutPtr now = segment->layout();
  if (!claim || x_context.drives.live(now->slots[left.shard])) {
    co_return false;
  }
  if (!x_context.drives.live(left.slot)) {
    co_return true;
  }
  if (std::ranges::find(now->slots, left.slot) != now->slots.end()) {
    co_return false;  // another shard is on that drive now
  }
  auto file = co_await x_context.pool.run([this, &left] {
    return x_context.drives.disk(left.slot)->open(shard_path(left.segment, left.shard),
                                                  io::Access::read_write, io::Cache::direct);
  });
  if (!file) {
    log::warn(
        "a shard file that would be needed again cannot be opened",
        {{"segment", left.segment}, {"shard", left.shard}, {"error", file.error().describe()}});
    co_return file.error().code() != Errc::no_space;  // out of descriptors: it is there
  }
  const std::shared_ptr<io::File> found = *std::move(file);
  const auto take = [&left, &found](Layout& layout) {
    layout.slots[left.shard] = left.slot;
    layout.files[left.shard] = found;
    layout.holes |= left.lacks ? 1U << left.shard : 0;
  };
  Layout next = *now;
  take(next);
  SegmentRecord record = segment->current();
  record.slots = next.slots;
  record.holes = next.holes;
  meta::Batch batch;
  batch.put(meta::segment_key(record.id), encode(record));
  CO_TRYV(co_await x_context.meta->commit(std::move(batch)));
  segment->update_layout(take);
  co_return true;
}

Task<> Repairer::remove_leftovers() {
  for (const Leftover& left : leftovers()) {
    CO_TRY(const bool done, co_await remove_one(left));
    if (done) {
      forget(left);
    }
  }
  co_return ok();
}

// True if the file is no leftover any more. What the segment's record names is never removed, nor
// what may be needed again.
Task<bool> Repairer::remove_one(Leftover left) {
  const SegmentPtr segment = x_catalogue.find(left.segment);
  std::optional<SegmentClaim> claim;
  if (segment) {
    claim.emplace(*segment);
    const drives::Slot now = segment->layout()->slots[left.shard];
    if (!*claim || !x_context.drives.live(now)) {
      co_return false;
    }
    if (now == left.slot) {
      co_return true;
    }
  }
  if (!x_context.drives.live(left.slot)) {
    co_return true;
  }
  const std::string path = shard_path(left.segment, left.shard);
  const auto removed = co_await x_context.pool.run(
      [this, &left, &path] { return x_context.drives.disk(left.slot)->remove(path); });
  if (!removed && removed.error().code() != Errc::not_found) {
    log::warn("a shard that moved away stays until the next start",
              {{"path", path}, {"error", removed.error().describe()}});
  }
  co_return true;
}

}  // namespace outcrop::segment
