// What a run left half used when it ended, at any time and as often as it likes: segments that
// nobody came to use, and the room behind the end of the others, which nothing is appended to any
// more. Without this a box that restarts over and over fills its drives with nothing.
#include "storage/base/log.h"
#include "storage/meta/extent_ref.h"
#include "storage/segment/references.h"
#include "storage/segment/segment_store.h"

namespace outcrop::segment {
namespace {

/// A shard file whose tail is gone cannot become a spare: writing a new one costs as much as the
/// file is long. So a tail must be at least this part of it.
constexpr std::uint64_t kLeastTail = 8;

std::uint64_t end_of(const SegmentRecord& record, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t bytes = record.small ? kHeaderBytes + length : run_bytes(record, length);
  return align_up(offset + bytes, kIoAlign);
}

}  // namespace

// Where the last referenced payload ends, 0 without any. Sought by halves: there may be a hundred
// thousand references.
Task<std::uint64_t> SegmentStore::used_bytes(const Segment& segment) {
  const SegmentId id = segment.record.id;
  const std::string end = meta::prefix_end(references_of(id));
  std::uint64_t from = 0, to = segment.record.shard_bytes, used = 0;
  for (std::uint64_t middle = 0; from < to; middle = from + (to - from) / 2) {
    CO_TRY(const meta::ScanPage page,
           co_await x_context.meta->scan(
               {.lower = references_from(id, middle), .upper = end, .limit = 1}));
    if (page.entries.empty()) {
      to = middle;
      continue;
    }
    const std::uint64_t offset = offset_of_reference(page.entries.front().key);
    CO_TRY(const meta::ExtentRef ref, meta::decode_extent_ref(page.entries.front().value));
    used = end_of(segment.record, offset, ref.length);
    from = offset + 1;
  }
  co_return used;
}

// Replay has ended, and so has its checkpoint: it will not look for a payload here again.
Result<void> SegmentStore::trim(const Segment& segment, std::uint64_t used) {
  const LayoutPtr layout = segment.layout();
  for (unsigned shard = 0; shard < layout->slots.size(); ++shard) {
    io::Disk* const disk = x_context.drives.disk(layout->slots[shard]);
    if (disk == nullptr || !x_context.drives.live(layout->slots[shard])) {
      continue;
    }
    const auto file = disk->open(shard_path(segment.record.id, shard), io::Access::read_write,
                                 io::Cache::buffered);
    if (!file && file.error().code() == Errc::not_found) {
      continue;  // repair will see to it
    }
    if (!file) {
      return fail(file.error());
    }
    TRYV((*file)->punch(used, segment.record.shard_bytes - used));
  }
  return ok();
}

Task<> SegmentStore::reclaim(const std::vector<SegmentPtr>& interrupted) {
  for (const SegmentPtr& segment : interrupted) {
    if (!segment->closed.load()) {
      continue;  // the store is read-only
    }
    CO_TRY(const std::uint64_t used, co_await used_bytes(*segment));
    if (used == 0) {
      CO_TRY(const bool dead, co_await give_up_if_dead(segment));
      if (dead) {
        CO_TRYV(co_await x_context.pool.run([this, &segment] { return recycle(*segment); }));
      }
    } else if (used <= segment->record.shard_bytes - segment->record.shard_bytes / kLeastTail) {
      CO_TRYV(co_await x_context.pool.run([this, &segment, used] { return trim(*segment, used); }));
    }
  }
  co_return ok();
}

}  // namespace outcrop::segment
