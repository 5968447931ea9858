#include "storage/segment/segment_store.h"

#include <algorithm>
#include <chrono>

#include "storage/base/log.h"
#include "storage/meta/extent_ref.h"
#include "storage/meta/tables.h"
#include "storage/segment/reader.h"
#include "storage/segment/references.h"

namespace outcrop::segment {
namespace {

// What copies files only leaves out a directory that had none in it.
Result<void> make_missing_dirs(io::Disk& disk) {
  for (const std::string_view dir : {"segments", "spare"}) {
    TRY(const bool there, disk.exists(dir));
    if (!there) {
      TRYV(disk.make_dir(dir));
    }
  }
  return ok();
}

}  // namespace

SegmentStore::SegmentStore(drives::DriveSet& drives,
                           BlockingPool& pool,
                           Random& random,
                           std::vector<asio::io_context*> workers,
                           std::vector<io::IoBackend*> backends,
                           std::uint64_t shard_bytes,
                           std::uint64_t cache_bytes)
    : x_context(drives, pool, random, std::move(workers), std::move(backends), shard_bytes),
      x_cache(cache_bytes),
      x_spares(x_context),
      x_allocator(x_context, x_catalogue, x_spares),
      x_repairer(x_context, x_catalogue, x_spares) {
  for (std::size_t i = 0; i < x_context.workers.size(); ++i) {
    x_workers.push_back(std::make_unique<WorkerState>(x_context, x_allocator));
  }
}

SegmentStore::~SegmentStore() = default;

void SegmentStore::attach(meta::MetaStore& store) { x_context.meta = &store; }

std::vector<SegmentId> SegmentStore::sealed() const {
  std::vector<SegmentId> out;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    if (segment->sealed.load()) {
      out.push_back(segment->record.id);
    }
  }
  std::ranges::sort(out);
  return out;
}

Task<> SegmentStore::load_catalogue() {
  std::string from(1, static_cast<char>(meta::Table::segment));
  const std::string end = meta::prefix_end(from);
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_context.meta->scan({.lower = from, .upper = end}));
    for (const meta::KeyValue& entry : page.entries) {
      CO_TRY(SegmentRecord record, decode_segment(entry.value));
      // What replay made of an earlier record may not know where the shards are now.
      x_catalogue.add(std::make_shared<Segment>(std::move(record), false));
    }
    more = page.more;
    if (more) {
      from = page.entries.back().key + '\0';
    }
  }
  co_return ok();
}

// Shard files that belong to no segment, or to a shard on another drive, are left by a crash
// between placing files and publishing the segment, or by a drive that was away while it was freed:
// they become spares. And shards that have no file are missing before anybody asks for them.
Result<void> SegmentStore::adopt_files(drives::Slot slot) {
  io::Disk& disk = *x_context.drives.disk(slot);
  TRY(const auto names, disk.list("segments"));
  for (const std::string& name : names) {
    const std::string path = "segments/" + name;
    const auto shard = parse_shard_name(name);
    const SegmentPtr segment = shard ? x_catalogue.find(shard->first) : nullptr;
    if (segment && shard->second < segment->record.slots.size() &&
        segment->layout()->slots[shard->second] == slot) {
      segment->absent &= ~(1U << shard->second);
      continue;
    }
    TRY(const auto file, disk.open(path, io::Access::read, io::Cache::buffered));
    TRY(const std::uint64_t size, file->size());
    const auto given = x_spares.give_back(slot, path, size);
    if (!given && given.error().code() == Errc::no_space) {
      log::warn("a shard file that nobody needs stays where it is",
                {{"drive", disk.name()}, {"error", given.error().describe()}});
      continue;
    }
    TRYV(given);
  }
  return ok();
}

// A drive that cannot do that is out, like one that fails later: the others start.
Result<void> SegmentStore::take_stock() {
  for (const SegmentPtr& segment : x_catalogue.all()) {
    for (unsigned i = 0; i < segment->record.slots.size(); ++i) {
      segment->absent |= x_context.drives.live(segment->record.slots[i]) ? 1U << i : 0;
    }
  }
  for (const drives::Slot slot : x_context.drives.live_slots()) {
    Result<void> taken = make_missing_dirs(*x_context.drives.disk(slot));
    taken = taken ? x_spares.load(slot) : taken;
    taken = taken ? adopt_files(slot) : taken;
    if (!taken && taken.error().code() == Errc::no_space) {
      return taken;  // out of descriptors
    }
    if (taken) {
      continue;
    }
    const auto ejected = x_context.drives.eject(slot, taken.error());
    if (!ejected && ejected.error().code() != Errc::read_only) {
      return ejected;
    }
  }
  return ok();
}

Task<> SegmentStore::open() {
  CO_TRYV(co_await load_catalogue());
  CO_TRYV(co_await x_context.pool.run([this] { return take_stock(); }));
  std::vector<SegmentPtr> interrupted = x_catalogue.all();
  std::erase_if(interrupted, [](const SegmentPtr& s) { return s->closed.load(); });
  // Before they count as closed: who is cut off here finds them again.
  if (auto reclaimed = co_await reclaim(interrupted); !reclaimed) {
    log::warn("room behind the end of segments stays taken",
              {{"error", reclaimed.error().describe()}});
  }
  CO_TRYV(co_await close_segments(0));
  co_return co_await x_allocator.open();
}

Task<> SegmentStore::close_worker() {
  CO_TRYV(co_await mine().small.close());
  CO_TRYV(co_await mine().large.lane.close());
  CO_TRYV(co_await mine().upkeep.lane.close());
  co_return co_await mine().rebalance.lane.close();
}

Task<SegmentPtr> SegmentStore::find(SegmentId id) {
  SegmentPtr segment = x_catalogue.find(id);
  if (!segment) {
    // During replay the catalogue is not loaded yet: the record is in the index by now.
    CO_TRY(const auto stored, co_await x_context.meta->get(meta::segment_key(id)));
    if (!stored) {
      co_return fail(Errc::corrupt, "no such segment: " + std::to_string(id));
    }
    CO_TRY(SegmentRecord record, decode_segment(*stored));
    segment = std::make_shared<Segment>(std::move(record), false);
    x_catalogue.add(segment);
  }
  if (!segment->shards_opened()) {
    CO_TRYV(co_await x_context.pool.run(
        [this, segment] { return segment->open_shards(x_context.drives); }));
  }
  co_return segment;
}

Task<Placed> SegmentStore::place_small(ConstBytes payload) { return mine().small.place(payload); }

Task<std::unique_ptr<BlobWriter>> SegmentStore::open_writer(std::uint64_t size_hint,
                                                            Purpose purpose) {
  co_return std::make_unique<StripeWriter>(mine().lane(purpose), size_hint);
}

namespace {

/// How long a read that goes to the drives takes: what the pace of a repair looks at. Its own do
/// not count.
class ReadTimer {
 public:
  ReadTimer(SegmentStats& stats, Purpose purpose) : x_stats(stats), x_purpose(purpose) {}
  ~ReadTimer() {
    if (x_purpose != Purpose::client) {
      return;
    }
    const auto ns = std::chrono::steady_clock::now() - x_began;
    x_stats.reads.fetch_add(1, std::memory_order_relaxed);
    x_stats.read_ns.fetch_add(static_cast<std::uint64_t>(ns.count()), std::memory_order_relaxed);
  }
  ReadTimer(const ReadTimer&) = delete;

 private:
  SegmentStats& x_stats;
  const Purpose x_purpose;
  const std::chrono::steady_clock::time_point x_began = std::chrono::steady_clock::now();
};

}  // namespace

Task<std::vector<Buffer>> SegmentStore::read(Extent extent,
                                             std::uint64_t offset,
                                             std::uint64_t length,
                                             Purpose purpose) {
  const bool inside = offset <= extent.length && length <= extent.length - offset;
  if (!inside) {
    co_return fail(Errc::corrupt, "read outside an extent");
  }
  // Striped extents may be short too, but are never in the cache.
  Buffer record = extent.length <= kSmallMax ? x_cache.find(extent) : Buffer();
  if (record) {
    co_return std::vector{record.slice(offset, length)};
  }
  CO_TRY(SegmentPtr segment, co_await find(extent.segment));
  const ReadTimer timer(x_context.stats, purpose);
  if (segment->record.small) {
    CO_TRY(record, co_await read_small(x_context, std::move(segment), extent));
    if (purpose == Purpose::client) {
      x_cache.add(extent, record.view());
    }
    co_return std::vector{record.slice(offset, length)};
  }
  co_return co_await read_striped(x_context, std::move(segment), extent, offset, length);
}

ReadUnit SegmentStore::read_unit(const Extent& extent, std::uint64_t offset) {
  const SegmentPtr segment = x_catalogue.find(extent.segment);
  if (!segment || segment->record.small) {
    return {0, extent.length, 0, extent.length};
  }
  const std::uint64_t full = segment->record.stripe_payload();
  const std::uint64_t index = offset / full, start = index * full;
  const StripeShape shape = stripe_shape(segment->record, extent, index);
  const std::uint64_t unit = shape.chunk_bytes - kHeaderBytes;
  const std::uint64_t begin = (offset - start) / unit * unit;
  return {start + begin, start + std::min(begin + unit, shape.payload), start,
          start + shape.payload};
}

PinPtr SegmentStore::pin(std::span<const Extent> extents) {
  std::vector<SegmentPtr> segments;
  for (const Extent& extent : extents) {
    if (!segments.empty() && segments.back()->record.id == extent.segment) {
      continue;
    }
    if (SegmentPtr segment = x_catalogue.find(extent.segment)) {
      segments.push_back(std::move(segment));
    }
  }
  return std::make_shared<SegmentPins>(std::move(segments));
}

PinPtr SegmentStore::pin_segment(SegmentId segment) {
  std::vector<SegmentPtr> segments;
  if (SegmentPtr found = x_catalogue.find(segment)) {
    segments.push_back(std::move(found));
  }
  return std::make_shared<SegmentPins>(std::move(segments));
}

Result<std::vector<io::IoOp>> SegmentStore::take_pending(unsigned worker) {
  return x_workers[worker]->small.take_pending();
}

Task<> SegmentStore::finished(unsigned worker, std::span<io::IoOp> ops) {
  return x_workers[worker]->small.finished(ops);
}

Task<bool> SegmentStore::verify_and_complete(const Extent& extent) {
  auto segment = co_await find(extent.segment);
  if (!segment) {
    // No such segment: the transaction that made it was not proven either.
    co_return segment.error().code() == Errc::corrupt ? Result<bool>(false)
                                                      : Result<bool>(fail(segment.error()));
  }
  co_return co_await complete_small(x_context, *std::move(segment), extent);
}

Task<std::optional<SegmentStore::Usage>> SegmentStore::usage(SegmentId id) {
  const SegmentPtr segment = x_catalogue.find(id);
  if (!segment || !segment->sealed.load() || segment->dying.load()) {
    co_return std::nullopt;
  }
  Usage out;
  const SegmentRecord& record = segment->record;
  const std::uint64_t most = record.small ? kSmallMax : record.chunk_bytes;
  out.capacity = (record.shard_bytes - std::min(record.shard_bytes, most)) * record.k;
  out.taken = record.shard_bytes * (record.k + record.m);
  out.small = record.small;
  meta::ScanRequest request{.lower = references_of(id),
                            .upper = meta::prefix_end(references_of(id))};
  std::uint64_t offset = UINT64_MAX, used = 0;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_context.meta->scan(request));
    for (const auto& [key, value] : page.entries) {
      CO_TRY(const meta::ExtentRef ref, meta::decode_extent_ref(value));
      const std::uint64_t at = offset_of_reference(key);
      if (at != offset) {
        out.live += std::exchange(used, 0);
        offset = at;
      }
      used = std::min(ref.length, used + ref.used);  // owners may share it
      ++out.references;
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  out.live += used;
  co_return out;
}

std::optional<double> SegmentStore::stripe_cost() const {
  const std::size_t drives = x_context.drives.placement_slots().size();
  const std::optional<unsigned> parity = x_context.drives.write_parity(drives);
  if (!parity) {
    return std::nullopt;
  }
  const auto shards = static_cast<double>(std::min<std::size_t>(drives, kMaxShards));
  return shards / (shards - *parity);
}

Result<std::uint64_t> SegmentStore::client_bytes(drives::Slot slot) const {
  TRY(const std::uint64_t room, x_spares.room(slot));
  return room > kKeptShards ? (room - kKeptShards) * x_context.shard_bytes : 0;
}

std::uint64_t SegmentStore::spare_bytes(drives::Slot slot) const {
  return x_spares.count(slot) * x_context.shard_bytes;
}

SegmentStore::Counts SegmentStore::counts() const {
  Counts out;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    ++(segment->sealed.load() ? out.sealed : out.open);
  }
  return out;
}

}  // namespace outcrop::segment
