#include "storage/segment/shard_walk.h"

#include <algorithm>
#include <bit>

#include "storage/segment/settle.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kWindow = 512 << 10;  // of each shard, at least
constexpr std::uint64_t kRecordAlign = 64;
constexpr std::uint64_t kYieldEvery = 128 << 10;  // of each shard: others on the worker go first
constexpr std::uint64_t kSmallReach = kHeaderBytes + kSmallMax;

std::uint64_t reach_of(const SegmentRecord& record) {
  return record.small ? kSmallReach : record.chunk_bytes;
}

io::IoOp transfer(io::OpKind kind, io::File* file, std::uint64_t offset, Buffer buffer) {
  return {.kind = kind,
          .file = file,
          .offset = offset,
          .buffer = std::move(buffer),
          .durable = false,
          .result = {}};
}

}  // namespace

ShardWalk::ShardWalk(Context& context,
                     const Segment& segment,
                     std::vector<WalkShard> shards,
                     Pace& pace,
                     std::uint64_t from,
                     std::uint64_t to)
    : x_context(context),
      x_segment(segment),
      x_shards(std::move(shards)),
      x_pace(pace),
      x_from(align_down(from, kIoAlign)),
      x_end(std::min(align_up(to, kIoAlign), segment.record.shard_bytes)),
      x_reach(reach_of(segment.record)),
      x_images(x_shards.size()) {
  OUTCROP_ASSERT(x_shards.size() == segment.record.slots.size());
}

ConstBytes ShardWalk::at(unsigned shard, std::uint64_t offset) const {
  return x_images[shard].bytes.view().subspan(offset - x_begin);
}

ChunkIdentity ShardWalk::identity(unsigned shard, const Unit& unit) const {
  const SegmentRecord& record = x_segment.record;
  ChunkIdentity out{.cluster = x_context.drives.cluster(),
                    .segment = record.id,
                    .offset = unit.offset,
                    .stamp = unit.stamp,
                    .length = unit.length,
                    .kind = ChunkKind::small,
                    .shard = 0};
  if (!record.small) {
    out.kind = shard < record.k ? ChunkKind::data : ChunkKind::parity;
    out.shard = static_cast<std::uint8_t>(shard);
  }
  return out;
}

// The unit at this place that most shards verify; empty if none does. Two that verify and differ
// cannot be: a place is written once. If it is so all the same, a majority must decide.
std::optional<ShardWalk::Found> ShardWalk::find(std::uint64_t offset) const {
  std::vector<Found> all;
  const std::uint64_t left = x_loaded - offset;
  for (unsigned shard = 0; shard < x_images.size(); ++shard) {
    if (x_shards[shard].source == nullptr) {
      continue;
    }
    const ConstBytes bytes = at(shard, offset);
    const auto claimed = peek_chunk(bytes);
    if (!claimed || kHeaderBytes + claimed->length > std::min(left, x_reach)) {
      continue;
    }
    const Unit unit{offset, claimed->stamp, claimed->length};
    const bool aligned = x_segment.record.small || (kHeaderBytes + unit.length) % kIoAlign == 0;
    if (!aligned || *claimed != identity(shard, unit) || !check_chunk(*claimed, bytes)) {
      continue;
    }
    auto same = std::ranges::find(all, unit, &Found::unit);
    if (same == all.end()) {
      all.push_back({unit, 0});
      same = all.end() - 1;
    }
    same->good |= 1U << shard;
  }
  if (all.empty()) {
    return std::nullopt;
  }
  const auto votes = [](const Found& f) { return std::popcount(f.good); };
  std::ranges::sort(all, std::greater{}, votes);
  if (all.size() > 1 && votes(all[0]) == votes(all[1])) {
    return std::nullopt;
  }
  return all.front();
}

bool ShardWalk::empty_block(std::uint64_t offset) const {
  constexpr std::array<std::byte, kIoAlign> kZeros{};
  return std::ranges::all_of(x_images, [&](const Image& image) {
    return std::memcmp(image.bytes.data() + (offset - x_begin), kZeros.data(),
                       std::min<std::uint64_t>(kIoAlign, x_loaded - offset)) == 0;
  });
}

bool ShardWalk::readable(unsigned shard, std::uint64_t from, std::uint64_t to) const {
  const std::vector<bool>& bad = x_images[shard].bad;
  const auto block = [this](std::uint64_t at) {
    return static_cast<std::ptrdiff_t>((at - x_begin) / kIoAlign);
  };
  return bad.empty() || std::find(bad.begin() + block(from), bad.begin() + block(to - 1) + 1,
                                  true) == bad.begin() + block(to - 1) + 1;
}

// Shards that are to have the unit and do not: all of a new file, and what is damaged of an old
// one. A stripe has its blocks for itself: writing them anew also makes the drive replace sectors
// that it cannot read. The neighbours of a record have to stay as they are, and be read for that.
ShardMask ShardWalk::wanted(const Found& found) {
  const std::uint64_t end = found.unit.offset + kHeaderBytes + found.unit.length;
  ShardMask out = 0;
  for (unsigned shard = 0; shard < x_shards.size(); ++shard) {
    const bool good = (found.good & (1U << shard)) != 0;
    x_result.lacking |= good ? 0 : 1U << shard;
    if (x_shards[shard].target != nullptr) {
      out |= 1U << shard;
    } else if (!good && x_shards[shard].source != nullptr) {
      const bool may_write = !x_segment.record.small || readable(shard, found.unit.offset, end);
      (may_write ? out : x_result.unreadable) |= 1U << shard;
    }
  }
  return out;
}

// A source gets back what it should have had all the time.
void ShardWalk::count_rewritten(unsigned shard, const Unit& unit) {
  if (x_shards[shard].target == nullptr) {
    ++x_result.repaired;
    x_result.rewritten[shard].push_back(unit);
  }
}

void ShardWalk::mark_dirty(unsigned shard, std::uint64_t from, std::uint64_t to) {
  auto& dirty = x_images[shard].dirty;
  from = align_down(from, kIoAlign);
  to = align_up(to, kIoAlign);
  if (!dirty.empty() && dirty.back().second >= from) {
    dirty.back().second = std::max(dirty.back().second, to);
  } else {
    dirty.emplace_back(from, to);
  }
}

Result<void> ShardWalk::restore_stripe(const Found& found) {
  const ShardMask want = wanted(found);
  const ShardMask compute = want & ~found.good;
  std::array<const std::byte*, kMaxShards> have{};
  std::vector<std::byte*> out;
  for (unsigned shard = 0; shard < x_shards.size(); ++shard) {
    std::byte* const payload =
        x_images[shard].bytes.data() + (found.unit.offset - x_begin) + kHeaderBytes;
    if ((found.good & (1U << shard)) != 0) {
      have[shard] = payload;
    } else if ((compute & (1U << shard)) != 0) {
      out.push_back(payload);
    }
  }
  if (compute != 0) {
    TRYV(x_segment.codec.reconstruct(found.good, std::span(have).first(x_shards.size()), compute,
                                     out, found.unit.length));
  }
  const std::uint64_t bytes = kHeaderBytes + found.unit.length;
  for (unsigned shard = 0; shard < x_shards.size(); ++shard) {
    if ((compute & (1U << shard)) != 0) {
      seal_chunk(identity(shard, found.unit),
                 x_images[shard].bytes.writable().subspan(found.unit.offset - x_begin, bytes));
      count_rewritten(shard, found.unit);
    }
    if ((want & (1U << shard)) != 0) {
      mark_dirty(shard, found.unit.offset, found.unit.offset + bytes);
    }
  }
  return ok();
}

std::uint64_t ShardWalk::step_striped(std::uint64_t offset) {
  const auto found = find(offset);
  if (!found) {
    return offset + kIoAlign;
  }
  if (std::popcount(found->good) < static_cast<int>(x_segment.record.k)) {
    ++x_result.broken;
  } else if (auto restored = restore_stripe(*found); restored) {
    x_result.units.push_back(found->unit);
  } else {
    x_failed = std::move(restored);
  }
  return offset + kHeaderBytes + found->unit.length;
}

std::uint64_t ShardWalk::step_small(std::uint64_t offset) {
  const auto found = find(offset);
  if (!found) {
    return offset % kIoAlign == 0 && empty_block(offset) ? offset + kIoAlign
                                                         : offset + kRecordAlign;
  }
  const std::uint64_t bytes = kHeaderBytes + found->unit.length;
  const ShardMask want = wanted(*found);
  const std::byte* const record =
      at(static_cast<unsigned>(std::countr_zero(found->good)), offset).data();
  for (unsigned shard = 0; shard < x_shards.size(); ++shard) {
    const ShardMask bit = 1U << shard;
    if ((want & bit) != 0) {
      if ((found->good & bit) == 0) {
        std::memcpy(x_images[shard].bytes.data() + (offset - x_begin), record, bytes);
        count_rewritten(shard, found->unit);
      }
      mark_dirty(shard, offset, offset + bytes);
    }
  }
  x_result.units.push_back(found->unit);
  return offset + align_up(bytes, kRecordAlign);
}

Task<> ShardWalk::cover(std::uint64_t offset) {
  const std::uint64_t last = x_segment.record.shard_bytes;
  if (offset < x_loaded && (offset + x_reach <= x_loaded || x_loaded == last)) {
    co_return ok();
  }
  CO_TRYV(co_await flush());
  co_return co_await load(align_down(offset, kIoAlign));
}

Task<> ShardWalk::load(std::uint64_t offset) {
  const std::uint64_t size = std::max(kWindow, align_up(x_reach, kIoAlign) + kIoAlign);
  const std::uint64_t bytes = std::min(size, x_segment.record.shard_bytes - offset);
  std::vector<io::IoOp> ops;
  std::vector<unsigned> owners;
  std::array<Buffer, kMaxShards> before;
  for (unsigned shard = 0; shard < x_shards.size(); ++shard) {
    Image& image = x_images[shard];
    before[shard] = std::exchange(image.bytes, Buffer::make(bytes));
    image.bad.clear();
    if (x_shards[shard].source != nullptr) {
      ops.push_back(transfer(io::OpKind::read, x_shards[shard].source, offset, image.bytes));
      owners.push_back(shard);
    } else {
      std::memset(image.bytes.data(), 0, bytes);
    }
  }
  if (!ops.empty()) {
    co_await io::run(x_context.backend(), ops);
  }
  const std::uint64_t shared = offset - std::exchange(x_begin, offset);  // if they overlap
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!ops[i].result) {
      co_await load_by_blocks(owners[i]);
    }
  }
  // A block that two windows share is written twice: with what the first one put in, too.
  for (unsigned shard = 0; shard < x_shards.size() && offset < x_loaded; ++shard) {
    if (x_shards[shard].target != nullptr) {
      std::memcpy(x_images[shard].bytes.data(), before[shard].data() + shared,
                  std::min(x_loaded - offset, bytes));
    }
  }
  x_loaded = offset + bytes;
  co_return co_await x_pace.after(bytes * ops.size());
}

// One sector that cannot be read fails a whole transfer: the rest of the window is read without it.
Async<> ShardWalk::load_by_blocks(unsigned shard) {
  Image& image = x_images[shard];
  std::vector<io::IoOp> ops;
  for (std::uint64_t at = 0; at < image.bytes.size(); at += kIoAlign) {
    const std::uint64_t bytes = std::min<std::uint64_t>(kIoAlign, image.bytes.size() - at);
    ops.push_back(transfer(io::OpKind::read, x_shards[shard].source, x_begin + at,
                           image.bytes.slice(at, bytes)));
  }
  const bool here = x_context.drives.live(x_segment.layout()->slots[shard]);
  if (here) {
    co_await io::run(x_context.backend(), ops);
  }
  image.bad.resize(ops.size());
  for (std::size_t i = 0; i < ops.size(); ++i) {
    image.bad[i] = !here || !ops[i].result;
    if (image.bad[i]) {
      std::memset(ops[i].buffer.data(), 0, ops[i].buffer.size());
    }
  }
}

Task<> ShardWalk::flush() {
  std::vector<io::IoOp> ops;
  std::vector<drives::Slot> slots;
  std::uint64_t bytes = 0;
  for (unsigned shard = 0; shard < x_images.size(); ++shard) {
    io::File* const to =
        x_shards[shard].target != nullptr ? x_shards[shard].target : x_shards[shard].source;
    for (const auto& [from, end] : std::exchange(x_images[shard].dirty, {})) {
      ops.push_back(transfer(io::OpKind::write, to, from,
                             x_images[shard].bytes.slice(from - x_begin, end - from)));
      slots.push_back(x_shards[shard].slot);
      bytes += end - from;
    }
  }
  if (ops.empty()) {
    co_return ok();
  }
  co_await io::run(x_context.backend(), ops);
  CO_TRYV(co_await settle(x_context, ops, slots, static_cast<unsigned>(ops.size())));
  co_return co_await x_pace.after(bytes);
}

Task<WalkResult> ShardWalk::run() {
  const Executor ex = co_await asio::this_coro::executor;
  std::uint64_t yielded = x_from;
  for (std::uint64_t offset = x_from; offset < x_end && x_failed;) {
    CO_TRYV(co_await cover(offset));
    offset = x_segment.record.small ? step_small(offset) : step_striped(offset);
    if (offset - yielded >= kYieldEvery) {
      yielded = offset;
      co_await asio::post(ex, use_async);
    }
  }
  CO_TRYV(std::move(x_failed));
  CO_TRYV(co_await flush());
  co_return std::move(x_result);
}

Task<> ShardWalk::read_back(unsigned shard, io::File& file, const std::vector<Unit>& units) {
  Buffer window;
  std::uint64_t begin = 0, end = 0;
  for (const Unit& unit : units) {
    const std::uint64_t unit_end = unit.offset + kHeaderBytes + unit.length;
    if (unit_end > end) {
      begin = align_down(unit.offset, kIoAlign);
      const std::uint64_t least = align_up(unit_end, kIoAlign);
      end = std::min(std::max(begin + kWindow, least), x_segment.record.shard_bytes);
      std::array<io::IoOp, 1> op{
          transfer(io::OpKind::read, &file, begin, Buffer::make(end - begin))};
      co_await io::run(x_context.backend(), op);
      if (!op[0].result && end > least) {
        end = least;  // what cannot be read may lie behind it
        op[0] = transfer(io::OpKind::read, &file, begin, Buffer::make(end - begin));
        co_await io::run(x_context.backend(), op);
      }
      CO_TRYV(std::move(op[0].result));
      window = std::move(op[0].buffer);
      CO_TRYV(co_await x_pace.after(end - begin));
    }
    CO_TRYV(check_chunk(identity(shard, unit), window.view().subspan(unit.offset - begin)));
  }
  co_return ok();
}

}  // namespace outcrop::segment
