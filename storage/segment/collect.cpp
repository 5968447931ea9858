// Garbage: segments that no committed reference names, and that nobody reads or writes.
#include "storage/base/log.h"
#include "storage/meta/tables.h"
#include "storage/segment/references.h"
#include "storage/segment/segment_store.h"

namespace outcrop::segment {
namespace {

// Files of segments that are given up and not recycled when it is killed are left to the next
// start, and clients wait for that.
constexpr std::size_t kMostAtOnce = 256;

}  // namespace

Task<bool> SegmentStore::unreferenced(const Segment& segment) {
  std::string from = references_of(segment.record.id);
  const std::string end = meta::prefix_end(from);
  CO_TRY(const meta::ScanPage page,
         co_await x_context.meta->scan(
             {.lower = std::move(from), .upper = end, .limit = 1, .keys_only = true}));
  co_return page.entries.empty();
}

// A new reference can only come from a writer or reader that holds a pin. So: no pin before the
// scan, none taken since, and no reference in it, means that nobody can ever name the segment.
Task<bool> SegmentStore::give_up_if_dead(SegmentPtr segment) {
  const std::uint64_t epoch = segment->pin_epoch.load();
  if (!segment->sealed.load() || segment->dying.load() || segment->pins.load() != 0 ||
      !segment->try_claim()) {
    co_return false;
  }
  auto dead = co_await dead_and_gone(segment, epoch);
  if (!dead || !*dead) {
    segment->release_claim();
  }
  co_return dead;
}

// Claimed: no repair has the segment, or begins with it.
Task<bool> SegmentStore::dead_and_gone(SegmentPtr segment, std::uint64_t epoch) {
  CO_TRY(const bool dead, co_await unreferenced(*segment));
  if (!dead) {
    co_return false;
  }
  if (segment->pins.load() != 0 || segment->pin_epoch.load() != epoch) {
    co_return false;
  }
  segment->dying.store(true);
  x_catalogue.erase(segment->record.id);
  meta::Batch batch;
  batch.erase(meta::segment_key(segment->record.id));
  CO_TRYV(co_await x_context.meta->commit(std::move(batch)));
  co_return true;
}

Result<void> SegmentStore::recycle(Segment& segment) {
  segment.close_shards();
  const LayoutPtr layout = segment.layout();
  for (unsigned shard = 0; shard < layout->slots.size(); ++shard) {
    const drives::Slot slot = layout->slots[shard];
    if (x_context.drives.disk(slot) == nullptr || !x_context.drives.live(slot)) {
      continue;
    }
    const std::string path = shard_path(segment.record.id, shard);
    if (auto given = x_spares.give_back(slot, path, segment.record.shard_bytes); !given) {
      x_spares.left_behind(slot, path, given.error());
    }
  }
  return ok();
}

Task<std::uint64_t> SegmentStore::collect(const std::function<Task<>()>& checkpoint) {
  std::uint64_t freed = 0;
  std::vector<SegmentPtr> dead;
  // After a checkpoint: replay must not find a segment whose files are somebody else's.
  const auto recycle_dead = [&]() -> Task<> {
    CO_TRYV(co_await checkpoint());
    for (const SegmentPtr& segment : dead) {
      if (segment->pins.load() != 0) {
        continue;  // a reader of an object that is gone by now: the files go at the next start
      }
      CO_TRYV(co_await x_context.pool.run([this, &segment] { return recycle(*segment); }));
      x_context.stats.recycled.fetch_add(1, std::memory_order_relaxed);
    }
    freed += dead.size();
    dead.clear();
    co_return ok();
  };
  for (const SegmentPtr& segment : x_catalogue.all()) {
    CO_TRY(const bool gone, co_await give_up_if_dead(segment));
    if (gone) {
      dead.push_back(segment);
    }
    if (dead.size() == kMostAtOnce) {
      CO_TRYV(co_await recycle_dead());
    }
  }
  if (!dead.empty()) {
    CO_TRYV(co_await recycle_dead());
  }
  co_return freed;
}

}  // namespace outcrop::segment
