#include "storage/segment/small_log.h"

#include "storage/digest/xxh.h"
#include "storage/segment/settle.h"

namespace outcrop::segment {
namespace {

constexpr std::size_t kRunCapacity = 512 << 10;
constexpr std::uint64_t kRecordAlign = 64;
static_assert(kSmallMax + kHeaderBytes <= kRunCapacity);

}  // namespace

// The run that the next record can join: the last one, if it ends where the open segment ends.
SmallLog::Run* SmallLog::tail(std::uint64_t bytes) {
  if (x_pending.empty()) {
    return nullptr;
  }
  Run& run = x_pending.back();
  const bool adjacent = run.segment == x_lane.current() && run.offset + run.used == x_lane.used();
  return adjacent && run.used + bytes <= run.buffer.size() ? &run : nullptr;
}

void SmallLog::write_record(Run& run, ConstBytes payload, Extent& extent) {
  const MutBytes chunk = run.buffer.writable().subspan(run.used, kHeaderBytes + payload.size());
  std::memcpy(chunk.data() + kHeaderBytes, payload.data(), payload.size());
  extent = {run.segment->record.id, run.offset + run.used, payload.size(),
            digest::xxh3_64(payload)};
  seal_chunk({.cluster = x_context.drives.cluster(),
              .segment = extent.segment,
              .offset = extent.offset,
              .stamp = extent.stamp,
              .length = static_cast<std::uint32_t>(payload.size()),
              .kind = ChunkKind::small,
              .shard = 0},
             chunk);
}

Task<Placed> SmallLog::place(ConstBytes payload) {
  OUTCROP_ASSERT(!payload.empty() && payload.size() <= kSmallMax);
  const std::uint64_t bytes = align_up(kHeaderBytes + payload.size(), kRecordAlign);
  // A new run starts on a 4 KiB block of its own, so that no acked block is written again.
  CO_TRYV(co_await x_lane.ensure(bytes + kIoAlign));
  Run* run = tail(bytes);
  if (run == nullptr) {
    const std::uint64_t gap = align_up(x_lane.used(), kIoAlign) - x_lane.used();
    x_lane.extend(gap);
    x_pending.push_back({x_lane.current(), pin_for_writing(x_lane.current()), x_lane.used(),
                         Buffer::make(kRunCapacity), 0});
    run = &x_pending.back();
  }
  x_lane.extend(bytes);
  Placed placed;
  write_record(*run, payload, placed.extent);
  const std::size_t record = kHeaderBytes + payload.size();
  std::memset(run->buffer.data() + run->used + record, 0, bytes - record);
  run->used += bytes;
  placed.pin = run->pin;
  co_return placed;
}

Result<std::vector<io::IoOp>> SmallLog::take_pending() {
  x_in_flight = std::exchange(x_pending, {});
  x_slots.clear();
  x_counts.clear();
  std::vector<io::IoOp> ops;
  for (Run& run : x_in_flight) {
    const std::size_t padded = align_up(run.used, kIoAlign);
    std::memset(run.buffer.data() + run.used, 0, padded - run.used);
    if (run.segment == x_lane.current() && run.offset + run.used == x_lane.used()) {
      x_lane.extend(padded - run.used);
    }
    const std::size_t before = ops.size();
    for (unsigned shard = 0; shard < run.segment->record.slots.size(); ++shard) {
      if (io::File* file = run.segment->shard(shard, x_context.drives)) {
        ops.push_back({.kind = io::OpKind::write,
                       .file = file,
                       .offset = run.offset,
                       .buffer = run.buffer.slice(0, padded),
                       .durable = true,
                       .result = {}});
        x_slots.push_back(run.segment->record.slots[shard]);
      }
    }
    if (ops.size() == before) {
      x_in_flight.clear();
      return fail(Errc::io_error, "every drive of a small payload has left");
    }
    x_counts.push_back(ops.size() - before);
  }
  return ops;
}

Task<> SmallLog::finished(std::span<io::IoOp> ops) {
  OUTCROP_ASSERT(ops.size() == x_slots.size());
  std::size_t at = 0;
  Result<void> first;
  for (const std::size_t count : x_counts) {
    const auto part = ops.subspan(at, count);
    auto settled = co_await settle(x_context, part, std::span(x_slots).subspan(at, count), 1);
    if (!settled && first) {
      first = std::move(settled);
    }
    at += count;
  }
  x_in_flight.clear();
  co_return first;
}

}  // namespace outcrop::segment
