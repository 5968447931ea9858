#include <array>
#include <bit>

#include "storage/segment/reader.h"

namespace outcrop::segment {
namespace {

ChunkIdentity identity_of(const Context& context, const Extent& extent) {
  return {.cluster = context.drives.cluster(),
          .segment = extent.segment,
          .offset = extent.offset,
          .stamp = extent.stamp,
          .length = static_cast<std::uint32_t>(extent.length),
          .kind = ChunkKind::small,
          .shard = 0};
}

/// The 4 KiB blocks that hold the record.
struct Blocks {
  explicit Blocks(const Extent& extent)
      : offset(align_down(extent.offset, kIoAlign)),
        skip(extent.offset - offset),
        bytes(align_up(skip + kHeaderBytes + extent.length, kIoAlign)) {}
  std::uint64_t offset, skip, bytes;
};

io::IoOp block_op(io::OpKind kind, io::File* file, const Blocks& blocks, Buffer buffer) {
  return {.kind = kind,
          .file = file,
          .offset = blocks.offset,
          .buffer = std::move(buffer),
          .durable = kind == io::OpKind::write,
          .result = {}};
}

/// The copies that are there, and room for each of them to be asked once more.
struct Copies {
  std::array<unsigned, 2 * kMaxShards> shards{};
  unsigned there = 0, count = 0;
  void add(unsigned shard) { shards[count++] = shard; }
};

/// Reads are spread over the copies; neighbours in the log go to the same drive and the drive's
/// readahead. Late drives come last.
Copies copies_in_order(const Context& context, const Layout& layout, const Extent& extent) {
  const auto copies = static_cast<unsigned>(layout.slots.size());
  const auto first = static_cast<unsigned>((extent.offset >> 20) + extent.segment) % copies;
  Copies out;
  ShardMask late = 0;
  for (unsigned i = 0; i < copies; ++i) {
    const unsigned shard = (first + i) % copies;
    if (layout.file(shard, context.drives) == nullptr) {
      continue;
    }
    if (context.late(layout.slots[shard])) {
      late |= 1U << shard;
    } else {
      out.add(shard);
    }
  }
  for (; late != 0; late &= late - 1) {
    out.add(static_cast<unsigned>(std::countr_zero(late)));
  }
  out.there = out.count;
  return out;
}

bool plausible(const Segment& segment, const Extent& extent) {
  return segment.record.small && extent.length > 0 && extent.length <= kSmallMax &&
         extent.offset + kHeaderBytes + extent.length <= segment.record.shard_bytes;
}

}  // namespace

Task<Buffer> read_small(Context& context, SegmentPtr segment, Extent extent) {
  if (!plausible(*segment, extent)) {
    co_return fail(Errc::corrupt, "extent outside its segment");
  }
  const Blocks blocks(extent);
  const ChunkIdentity identity = identity_of(context, extent);
  const LayoutPtr layout = segment->layout();
  Copies copies = copies_in_order(context, *layout, extent);
  // A copy whose drive is late is asked again when no other one was good.
  for (unsigned i = 0; i < copies.count; ++i) {
    const unsigned shard = copies.shards[i];
    io::File* const file = layout->file(shard, context.drives);
    if (file == nullptr) {
      continue;  // the drive has left meanwhile
    }
    std::array<io::IoOp, 1> op{
        block_op(io::OpKind::read, file, blocks, Buffer::make(blocks.bytes))};
    op[0].hedged = i < copies.there && copies.there > 1;
    co_await io::run(context.backend(), op);
    if (op[0].result && check_chunk(identity, op[0].buffer.view().subspan(blocks.skip))) {
      if (i > 0) {
        context.stats.reconstructed_reads.fetch_add(1, std::memory_order_relaxed);
      }
      co_return op[0].buffer.slice(blocks.skip + kHeaderBytes, extent.length);
    }
    if (!op[0].result && op[0].result.error().code() == Errc::timed_out) {
      context.stats.hedged_reads.fetch_add(1, std::memory_order_relaxed);
      copies.add(shard);
      continue;
    }
    context.stats.corrupt_chunks.fetch_add(1, std::memory_order_relaxed);
    if ((layout->holes & (1U << shard)) == 0) {
      context.damage.add({extent.segment, blocks.offset, blocks.offset + blocks.bytes});
    }
  }
  co_return fail(copies.there > 0 ? Errc::corrupt : Errc::unavailable,
                 "no copy of a record verifies");
}

Task<bool> complete_small(Context& context, SegmentPtr segment, Extent extent) {
  if (!plausible(*segment, extent)) {
    co_return false;
  }
  const Blocks blocks(extent);
  const ChunkIdentity identity = identity_of(context, extent);
  const LayoutPtr layout = segment->layout();
  std::vector<io::IoOp> ops;
  for (unsigned i = 0; i < layout->slots.size(); ++i) {
    if (io::File* file = layout->file(i, context.drives)) {
      ops.push_back(block_op(io::OpKind::read, file, blocks, Buffer::make(blocks.bytes)));
    }
  }
  co_await io::run(context.backend(), ops);
  const auto good = [&](const io::IoOp& op) {
    return op.result && check_chunk(identity, op.buffer.view().subspan(blocks.skip));
  };
  const auto source = std::ranges::find_if(ops, good);
  if (source == ops.end()) {
    // What was acked is on m+1 drives. If none of them answers, more fail than may: the power is
    // going, and the next start must find out, which "no" would keep it from.
    const bool answered =
        std::ranges::any_of(ops, [](const auto& op) { return op.result.has_value(); });
    co_return answered ? Result<bool>(false)
                       : fail(Errc::unavailable, "no drive with a copy of a record answers");
  }
  const ConstBytes record =
      source->buffer.view().subspan(blocks.skip, kHeaderBytes + extent.length);
  std::vector<io::IoOp> repairs;
  for (const io::IoOp& op : ops) {
    if (op.result && !good(op)) {
      // Only this record's bytes change: neighbours in the same blocks stay as they were read.
      std::memcpy(op.buffer.data() + blocks.skip, record.data(), record.size());
      repairs.push_back(block_op(io::OpKind::write, op.file, blocks, op.buffer));
    }
  }
  if (!repairs.empty()) {
    co_await io::run(context.backend(), repairs);
    for (const io::IoOp& op : repairs) {
      if (!op.result) {
        co_return fail(op.result.error());
      }
    }
  }
  co_return true;
}

}  // namespace outcrop::segment
