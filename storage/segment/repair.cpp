#include "storage/segment/repair.h"

#include <algorithm>
#include <bit>

#include "storage/base/log.h"
#include "storage/meta/extent_ref.h"
#include "storage/meta/tables.h"
#include "storage/segment/references.h"
#include "storage/segment/settle.h"

namespace outcrop::segment {
namespace {

constexpr std::size_t kClosedAtOnce = 500;  // records in one transaction

}  // namespace

ShardMask Repairer::missing(const Segment& segment, const Layout& layout) const {
  const ShardMask absent = segment.absent.load();
  ShardMask out = layout.holes;
  for (unsigned i = 0; i < layout.slots.size(); ++i) {
    const bool looked = segment.shards_opened() || (absent & (1U << i)) != 0;
    const bool gone = looked && !layout.files[i];
    if (gone || !x_context.drives.live(layout.slots[i])) {
      out |= 1U << i;
    }
  }
  return out;
}

ShardMask Repairer::leaving(const Layout& layout) const {
  ShardMask out = 0;
  for (unsigned i = 0; i < layout.slots.size(); ++i) {
    if (x_context.drives.draining(layout.slots[i])) {
      out |= 1U << i;
    }
  }
  return out;
}

// A shard whose drive is out now, or was out at any time while the segment was open, may lack data:
// a drive that leaves stays out until a restart, and returns with a mark.
Task<> Repairer::close_segments(std::uint64_t now_seconds) {
  const drives::EpochRecord epoch = x_context.drives.record();
  std::vector<std::pair<SegmentPtr, ShardMask>> closing;
  meta::Batch batch;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    if (segment->closed.load() || !segment->sealed.load() || segment->writers.load() != 0 ||
        closing.size() == kClosedAtOnce || !segment->try_claim()) {
      continue;
    }
    SegmentRecord record = segment->current();
    for (unsigned i = 0; i < record.slots.size(); ++i) {
      const drives::Slot slot = record.slots[i];
      const bool returning = slot < epoch.members.size() && epoch.members[slot].returning;
      record.holes |= returning || !x_context.drives.live(slot) ? 1U << i : 0;
    }
    record.closed = true;
    record.verified = now_seconds;
    batch.put(meta::segment_key(record.id), encode(record));
    closing.emplace_back(segment, record.holes);
  }
  if (closing.empty()) {
    co_return ok();
  }
  const bool more = closing.size() == kClosedAtOnce;
  auto committed = co_await x_context.meta->commit(std::move(batch));
  for (const auto& [segment, holes] : closing) {
    if (committed) {
      segment->update_layout([holes](Layout& layout) { layout.holes = holes; });
      segment->verified.store(now_seconds);
      segment->closed.store(true);
    }
    segment->release_claim();
  }
  CO_TRYV(std::move(committed));
  if (more) {
    co_return co_await close_segments(now_seconds);
  }
  co_return ok();
}

// One that somebody had, or that was sealed meanwhile, may lack what a returning drive missed.
Task<> Repairer::settle_returning() {
  const auto open = [](const SegmentPtr& segment) {
    return segment->sealed.load() && segment->writers.load() == 0 && !segment->closed.load();
  };
  if (std::ranges::any_of(x_catalogue.all(), open)) {
    co_return ok();
  }
  co_return co_await x_context.pool.run([this] { return x_context.drives.settle_returning(); });
}

bool Repairer::hopeless(const Segment& segment) const {
  return segment.damaged.load() && segment.damaged_epoch.load() == x_context.drives.epoch();
}

std::vector<SegmentPtr> Repairer::worklist() const {
  std::vector<std::pair<int, SegmentPtr>> work;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    const LayoutPtr layout = segment->layout();
    const ShardMask gone = missing(*segment, *layout);
    if (segment->closed.load() && !hopeless(*segment) && (gone | leaving(*layout)) != 0) {
      work.emplace_back(static_cast<int>(segment->record.m) - std::popcount(gone), segment);
    }
  }
  std::ranges::sort(work, {},
                    [](const auto& w) { return std::pair(w.first, w.second->record.id); });
  std::vector<SegmentPtr> out;
  for (auto& [spare, segment] : work) {
    out.push_back(std::move(segment));
  }
  return out;
}

std::vector<SegmentPtr> Repairer::due(std::uint64_t now_seconds,
                                      std::uint64_t period_seconds) const {
  std::vector<std::pair<std::uint64_t, SegmentPtr>> found;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    // A damaged one has its turn like the others, not one after the other.
    const std::uint64_t read =
        hopeless(*segment) ? segment->damaged_at.load() : segment->verified.load();
    const bool is_due = read > now_seconds ? read - now_seconds > period_seconds
                                           : now_seconds - read >= period_seconds;
    if (segment->closed.load() && is_due) {
      found.emplace_back(read > now_seconds ? 0 : read, segment);
    }
  }
  std::ranges::sort(found, {},
                    [](const auto& f) { return std::pair(f.first, f.second->record.id); });
  std::vector<SegmentPtr> out;
  for (auto& [read, segment] : found) {
    out.push_back(std::move(segment));
  }
  return out;
}

std::vector<SegmentPtr> Repairer::whole() const {
  std::vector<SegmentPtr> out;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    const LayoutPtr layout = segment->layout();
    if (segment->closed.load() && !segment->dying.load() && !segment->damaged.load() &&
        (missing(*segment, *layout) | leaving(*layout)) == 0) {
      out.push_back(segment);
    }
  }
  std::ranges::sort(out, {}, [](const SegmentPtr& s) { return s->record.id; });
  return out;
}

Task<RepairOutcome> Repairer::repair(SegmentPtr segment,
                                     RepairMode mode,
                                     Pace& pace,
                                     std::uint64_t now_seconds,
                                     std::optional<Move> move) {
  const SegmentClaim claim(*segment);
  const SegmentPins pin({segment});
  if (!claim || !segment->closed.load() || segment->dying.load()) {
    co_return RepairOutcome::busy;
  }
  CO_TRYV(co_await x_context.pool.run(
      [this, segment] { return segment->open_shards(x_context.drives); }));
  Job job{.segment = segment,
          .layout = segment->layout(),
          .move = move,
          .todo = 0,
          .placed = 0,
          .fresh = {},
          .found = {}};
  job.todo = missing(*segment, *job.layout) | leaving(*job.layout);
  if (move && job.todo != 0) {
    co_return RepairOutcome::busy;
  }
  job.todo |= move ? 1U << move->shard : 0;
  auto placed = co_await x_context.pool.run([this, &job] { return place(job); });
  if (placed && job.todo != 0 && job.placed == 0 && mode == RepairMode::rebuild) {
    co_return RepairOutcome::blocked;
  }
  Result<void> filled;
  bool whole = false;
  if (placed) {
    filled = co_await fill(job, pace);
  } else {
    filled = fail(placed.error());
  }
  if (filled) {
    auto covered = co_await covers_references(*segment, job.found.units);
    whole = covered && *covered;
    filled = covered ? ok() : Result<void>(fail(covered.error()));
  }
  if (!filled || !whole) {
    CO_TRYV(co_await drop(job));
    CO_TRYV(std::move(filled));
    segment->damaged_epoch.store(x_context.drives.epoch());
    segment->damaged_at.store(now_seconds);
    if (!segment->damaged.exchange(true)) {
      log::error(
          "data of a segment cannot be read from the drives that are here: nothing of it is "
          "moved",
          {{"segment", segment->record.id}});
    }
    co_return RepairOutcome::damaged;
  }
  if (auto ready = co_await take_names(job); !ready) {
    CO_TRYV(co_await drop(job));
    co_return fail(ready.error());
  }
  CO_TRYV(co_await publish(job, now_seconds));
  segment->damaged.store(false);
  const bool done = (job.todo & ~job.placed) == 0 && job.found.unreadable == 0;
  co_return done ? RepairOutcome::whole : RepairOutcome::blocked;
}

Task<> Repairer::repair_range(SegmentPtr segment,
                              std::uint64_t from,
                              std::uint64_t to,
                              Pace& pace) {
  const SegmentClaim claim(*segment);
  const SegmentPins pin({segment});
  if (!claim || !segment->closed.load() || segment->dying.load() || !segment->shards_opened()) {
    co_return ok();
  }
  Job job{.segment = segment,
          .layout = segment->layout(),
          .move = {},
          .todo = 0,
          .placed = 0,
          .fresh = {},
          .found = {}};
  std::vector<WalkShard> shards(job.layout->slots.size());
  for (unsigned i = 0; i < shards.size(); ++i) {
    shards[i] = {job.layout->file(i, x_context.drives), nullptr, job.layout->slots[i]};
  }
  ShardWalk walk(x_context, *segment, std::move(shards), pace, from, to);
  CO_TRY(job.found, co_await walk.run());
  if (job.found.repaired > 0) {
    CO_TRYV(co_await sync(job));
    CO_TRYV(co_await read_rewritten(job, walk));
    x_context.stats.repaired_chunks.fetch_add(job.found.repaired, std::memory_order_relaxed);
  }
  if ((job.found.unreadable & ~job.layout->holes) != 0) {
    CO_TRYV(co_await publish(job, segment->verified.load()));
  }
  co_return ok();
}

// Copies what is whole to the new files and reads it back.
Task<> Repairer::fill(Job& job, Pace& pace) {
  std::vector<WalkShard> shards(job.layout->slots.size());
  for (unsigned i = 0; i < shards.size(); ++i) {
    shards[i] = {job.layout->file(i, x_context.drives), nullptr, job.layout->slots[i]};
  }
  for (const NewShard& fresh : job.fresh) {
    shards[fresh.shard].target = fresh.file.get();
    shards[fresh.shard].slot = fresh.slot;
  }
  ShardWalk walk(x_context, *job.segment, std::move(shards), pace, 0,
                 job.segment->record.shard_bytes);
  CO_TRY(job.found, co_await walk.run());
  x_context.stats.repaired_chunks.fetch_add(job.found.repaired, std::memory_order_relaxed);
  if (job.fresh.empty() && job.found.repaired == 0 && job.placed == 0) {
    co_return ok();
  }
  CO_TRYV(co_await sync(job));
  for (const NewShard& fresh : job.fresh) {
    CO_TRYV(co_await walk.read_back(fresh.shard, *fresh.file, job.found.units));
  }
  co_return co_await read_rewritten(job, walk);
}

// What was written where it is: sectors that still cannot be read leave holes.
Task<> Repairer::read_rewritten(Job& job, ShardWalk& walk) {
  for (unsigned i = 0; i < job.layout->slots.size(); ++i) {
    const ShardMask bit = 1U << i;
    const auto units = job.found.rewritten.find(i);
    const bool is_new = std::ranges::find(job.fresh, i, &NewShard::shard) != job.fresh.end();
    const bool filled = (job.placed & bit) != 0;
    if (is_new || (!filled && units == job.found.rewritten.end())) {
      continue;
    }
    io::File* const file = job.layout->file(i, x_context.drives);
    if (file == nullptr) {
      co_return fail(Errc::io_error, "a drive left while a shard was filled");
    }
    auto read = co_await walk.read_back(i, *file, filled ? job.found.units : units->second);
    if (!read && (read.error().code() == Errc::corrupt || read.error().code() == Errc::io_error)) {
      job.found.unreadable |= bit;
    } else {
      CO_TRYV(std::move(read));
    }
  }
  co_return ok();
}

Task<> Repairer::sync(Job& job) {
  std::vector<io::IoOp> ops;
  std::vector<drives::Slot> slots;
  const auto add = [&](io::File* file, drives::Slot slot) {
    if (file != nullptr) {
      ops.push_back({.kind = io::OpKind::sync,
                     .file = file,
                     .offset = 0,
                     .buffer = {},
                     .durable = false,
                     .result = {}});
      slots.push_back(slot);
    }
  };
  for (const NewShard& fresh : job.fresh) {
    add(fresh.file.get(), fresh.slot);
  }
  if (job.found.repaired > 0) {
    for (unsigned i = 0; i < job.layout->slots.size(); ++i) {
      add(job.layout->file(i, x_context.drives), job.layout->slots[i]);
    }
  }
  if (ops.empty()) {
    co_return ok();
  }
  co_await io::run(x_context.backend(), ops);
  co_return co_await settle(x_context, ops, slots, static_cast<unsigned>(ops.size()));
}

// True if all that committed metadata refers to is among the units.
Task<bool> Repairer::covers_references(const Segment& segment, const std::vector<Unit>& units) {
  const auto has = [&units](std::uint64_t offset, std::uint64_t length) {
    const auto at = std::ranges::lower_bound(units, offset, {}, &Unit::offset);
    return at != units.end() && at->offset == offset && at->length == length;
  };
  const SegmentRecord& record = segment.record;
  std::string from = references_of(record.id);
  const std::string end = meta::prefix_end(from);
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_context.meta->scan({.lower = from, .upper = end}));
    for (const meta::KeyValue& entry : page.entries) {
      const auto ref = meta::decode_extent_ref(entry.value);
      const Extent extent{record.id, offset_of_reference(entry.key), ref ? ref->length : 0, 0};
      bool all = extent.length > 0 && extent.offset < record.shard_bytes;
      if (all && record.small) {
        all = has(extent.offset, extent.length);
      }
      const std::uint64_t stripes = all && !record.small ? stripe_count(record, extent.length) : 0;
      for (std::uint64_t i = 0; i < stripes && all; ++i) {
        const StripeShape shape = stripe_shape(record, extent, i);
        all = has(shape.offset, shape.chunk_bytes - kHeaderBytes);
      }
      if (!all) {
        co_return false;
      }
    }
    more = page.more;
    if (more) {
      from = page.entries.back().key + '\0';
    }
  }
  co_return true;
}

}  // namespace outcrop::segment
