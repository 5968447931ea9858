#include "storage/segment/allocator.h"

#include <algorithm>
#include <utility>

#include "storage/base/codec.h"
#include "storage/base/log.h"
#include "storage/meta/tables.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kIdBlock = 4096;

std::string counter_key() { return meta::table_key(meta::Table::system, "next_segment"); }

}  // namespace

Task<> Allocator::open() {
  CO_TRY(const auto stored, co_await x_context.meta->get(counter_key()));
  std::uint64_t next = 1;
  if (stored) {
    Reader r(*stored);
    next = r.varint();
    if (!r.done() || next == 0) {
      co_return fail(Errc::corrupt, "segment counter");
    }
  }
  Writer w;
  w.varint(next + kIdBlock);
  meta::Batch batch;
  batch.put(counter_key(), std::move(w).take());
  const auto reserved = co_await x_context.meta->commit(std::move(batch));
  if (!reserved && reserved.error().code() != Errc::read_only) {
    co_return reserved;
  }
  const std::lock_guard lock(x_mutex);
  x_next = next;
  x_reserved_end = reserved ? next + kIdBlock : next;  // else next_id() tries when it can
  co_return ok();
}

// Ids are never reused: a block is reserved durably before its first id is given out.
Task<SegmentId> Allocator::next_id() {
  for (;;) {
    std::uint64_t end = 0;
    {
      const std::lock_guard lock(x_mutex);
      if (x_next + kIdBlock / 2 < x_reserved_end) {
        co_return x_next++;
      }
      end = x_reserved_end + kIdBlock;
    }
    Writer w;
    w.varint(end);
    meta::Batch batch;
    batch.put(counter_key(), std::move(w).take());
    CO_TRYV(co_await x_context.meta->commit(std::move(batch)));
    const std::lock_guard lock(x_mutex);
    x_reserved_end = std::max(x_reserved_end, end);
  }
}

// Blocking. A drive that is full does not stop the others, as long as those with room can give the
// parity that is due; what it misses is not owed to it later. Clients leave each drive what upkeep
// needs. Upkeep itself takes what there is.
Result<std::vector<drives::Slot>> Allocator::with_room(std::vector<drives::Slot> live,
                                                       unsigned parity,
                                                       Purpose purpose) {
  const std::uint64_t kept = purpose == Purpose::upkeep ? 0 : kKeptShards;
  if (purpose == Purpose::rebalance) {
    const std::vector<drives::Slot> wanted = aim();
    std::erase_if(live,
                  [&wanted](drives::Slot s) { return !std::ranges::binary_search(wanted, s); });
    if (live.size() < wanted.size() || wanted.size() <= parity) {
      return fail(Errc::no_space, "a drive to rebalance to takes nothing new");
    }
  }
  std::vector<drives::Slot> out;
  for (const drives::Slot slot : live) {
    const auto room = x_spares.room(slot);
    if (!room) {
      TRYV(x_context.drives.eject(slot, room.error()));
      return fail(Errc::io_error, "a drive left while a segment was made");
    }
    if (*room > kept) {
      out.push_back(slot);
    }
  }
  if (purpose == Purpose::rebalance ? out.size() == live.size() : out.size() > parity) {
    return out;
  }
  if (purpose != Purpose::upkeep) {
    return fail(Errc::no_space, "the rest is kept for compaction");
  }
  return live;
}

// Blocking. Rotates over the live drives; k+m of them, or m+1 for whole records.
Result<SegmentRecord> Allocator::plan(bool small, Purpose purpose) {
  std::vector<drives::Slot> slots = x_context.drives.placement_slots();
  const std::optional<unsigned> parity = x_context.drives.write_parity(slots.size());
  if (!parity) {
    return fail(x_context.drives.no_writes());
  }
  const unsigned m = *parity;
  TRY(slots, with_room(std::move(slots), m, purpose));
  SegmentRecord record;
  record.m = static_cast<std::uint8_t>(m);
  record.small = small;
  const std::size_t shards = small ? m + 1 : std::min<std::size_t>(slots.size(), kMaxShards);
  record.k = static_cast<std::uint8_t>(shards - m);
  record.chunk_bytes = chunk_bytes_for(record.k);
  record.shard_bytes = x_context.shard_bytes;
  const unsigned start = x_rotation.fetch_add(1);
  for (std::size_t i = 0; i < shards; ++i) {
    record.slots.push_back(slots[(start + i) % slots.size()]);
  }
  return record;
}

void Allocator::aim(std::vector<drives::Slot> slots) {
  std::ranges::sort(slots);
  const std::lock_guard lock(x_aim_mutex);
  x_aim = std::move(slots);
}

std::vector<drives::Slot> Allocator::aim() const {
  const std::lock_guard lock(x_aim_mutex);
  return x_aim;
}

bool Allocator::aimed(const SegmentRecord& record) const {
  const std::vector<drives::Slot> wanted = aim();
  const auto is_wanted = [&wanted](drives::Slot s) {
    return std::ranges::binary_search(wanted, s);
  };
  return record.slots.size() == std::min<std::size_t>(wanted.size(), kMaxShards) &&
         std::ranges::all_of(record.slots, is_wanted);
}

Result<std::shared_ptr<io::File>> Allocator::place_shard(const SegmentRecord& record,
                                                         unsigned shard) {
  const drives::Slot slot = record.slots[shard];
  const std::string path = shard_path(record.id, shard);
  TRYV(x_spares.take(slot, path, record.shard_bytes));
  auto file = x_context.drives.disk(slot)->open(path, io::Access::read_write, io::Cache::direct);
  if (!file) {
    if (auto given = x_spares.put_back(slot, path, record.shard_bytes); !given) {
      return fail(given.error());
    }
    return fail(file.error());
  }
  return std::shared_ptr<io::File>(*std::move(file));
}

// A full drive refuses segments again and again: what the others gave for them is theirs again.
void Allocator::give_back(const SegmentRecord& record, unsigned shards) {
  for (unsigned i = 0; i < shards; ++i) {
    const std::string path = shard_path(record.id, i);
    if (!x_context.drives.live(record.slots[i])) {
      continue;
    }
    if (auto given = x_spares.put_back(record.slots[i], path, record.shard_bytes); !given) {
      x_spares.left_behind(record.slots[i], path, given.error());
    }
  }
}

Result<SegmentPtr> Allocator::place(SegmentId id, bool small, Purpose purpose) {
  const std::shared_lock placing(x_context.placing);
  TRY(SegmentRecord record, plan(small, purpose));
  record.id = id;
  std::vector<std::shared_ptr<io::File>> files(record.slots.size());
  for (unsigned i = 0; i < record.slots.size(); ++i) {
    auto file = place_shard(record, i);
    if (file) {
      files[i] = *std::move(file);
      continue;
    }
    files.clear();
    give_back(record, i);
    if (file.error().code() == Errc::no_space) {
      return fail(file.error());
    }
    TRYV(x_context.drives.eject(record.slots[i], file.error()));
    return fail(Errc::io_error, "a drive left while a segment was made");
  }
  auto segment = std::make_shared<Segment>(std::move(record), true);
  segment->adopt(std::move(files));
  return segment;
}

Task<bool> Allocator::make_room(Purpose purpose) {
  if (purpose == Purpose::rebalance || !x_context.make_room) {
    co_return false;
  }
  co_return co_await x_context.make_room();
}

Task<SegmentPtr> Allocator::create(bool small, Purpose purpose) {
  bool asked = false;
  for (unsigned attempt = 0; attempt <= drives::kMaxDrives; ++attempt) {
    CO_TRY(const SegmentId id, co_await next_id());
    auto placed = co_await x_context.pool.run(
        [this, id, small, purpose] { return place(id, small, purpose); });
    if (!placed && placed.error().code() == Errc::io_error) {
      continue;  // a drive was ejected: plan again over the rest
    }
    if (!placed && placed.error().code() == Errc::no_space && !std::exchange(asked, true)) {
      CO_TRY(const bool made, co_await make_room(purpose));
      if (made) {
        continue;
      }
    }
    CO_TRY(SegmentPtr segment, std::move(placed));
    meta::Batch batch;
    batch.put(meta::segment_key(id), encode(segment->record));
    CO_TRYV(co_await x_context.meta->commit(std::move(batch)));
    x_catalogue.add(segment);
    co_return segment;
  }
  co_return fail(Errc::io_error, "no drive takes a new segment");
}

}  // namespace outcrop::segment
