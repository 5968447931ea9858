#include "storage/segment/stripe_writer.h"

#include <algorithm>

#include "storage/segment/settle.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kRunStripes = 32;    // reserved at a time when the size is known
constexpr std::size_t kStripesInFlight = 3;  // per writer, behind the one being filled

}  // namespace

struct StripeWriter::Write {
  SegmentPtr segment;
  PinPtr pin;  // an abandoned writer's last writes still need the files that they go to
  std::vector<io::IoOp> ops;
  std::vector<drives::Slot> slots;
};

struct StripeWriter::Shared {
  std::size_t in_flight = 0;
  std::vector<std::unique_ptr<Write>> done;  // results not looked at yet
  Resume<void> waiter;
};

StripeWriter::StripeWriter(StripeLane& lane, std::uint64_t size_hint)
    : x_lane(lane),
      x_hint_left(size_hint),
      x_stamp(lane.context.random.next()),
      x_shared(std::make_shared<Shared>()) {}

StripeWriter::~StripeWriter() {
  if (x_room.segment) {
    x_lane.lane.give_back(x_room, x_room_used);
  }
}

std::uint64_t StripeWriter::stripe_filled() const { return x_chunk * x_chunk_payload + x_fill; }

void StripeWriter::close_extent() {
  if (x_extent.length > 0) {
    x_extents.push_back(x_extent);
  }
  x_extent = {};
}

// Room for as many stripes as the hint asks for, so that a whole object is one extent if it can be.
Task<> StripeWriter::reserve_run() {
  close_extent();
  if (x_room.segment) {
    x_lane.lane.give_back(x_room, x_room_used);
    x_room = {};
  }
  CO_TRYV(co_await x_lane.lane.ensure(kIoAlign));
  const SegmentRecord& open = x_lane.lane.current()->record;
  const std::uint64_t chunk = open.chunk_bytes;
  const std::uint64_t most = std::min(kRunStripes * chunk, run_bytes(open, x_hint_left));
  const std::uint64_t least = most == 0 ? chunk : std::min(most, chunk);
  CO_TRY(x_room, co_await x_lane.lane.reserve(least, std::max(most, least)));
  if (x_room.segment->record.chunk_bytes != chunk &&
      x_room.bytes < x_room.segment->record.chunk_bytes) {
    // A new segment with longer chunks came in between: take at least one whole stripe of it.
    x_lane.lane.give_back(x_room, 0);
    CO_TRY(x_room, co_await x_lane.lane.reserve(x_room.segment->record.chunk_bytes,
                                                x_room.segment->record.chunk_bytes));
  }
  x_room_used = 0;
  x_extent = {x_room.segment->record.id, x_room.offset, 0, x_stamp};
  if (std::ranges::find(x_segments, x_room.segment) == x_segments.end()) {
    x_segments.push_back(x_room.segment);
    x_pins.push_back(pin_for_writing(x_room.segment));
  }
  co_return ok();
}

Task<> StripeWriter::begin_stripe() {
  const auto fits = [this] {
    if (!x_room.segment) {
      return false;
    }
    const SegmentRecord& r = x_room.segment->record;
    const std::uint64_t payload =
        x_hint_left == 0 ? r.stripe_payload() : std::min(r.stripe_payload(), x_hint_left);
    const bool whole = x_extent.length % r.stripe_payload() == 0;
    const bool healthy = std::ranges::all_of(
        r.slots, [this](drives::Slot s) { return x_lane.context.drives.live(s); });
    return whole && healthy && x_room_used + run_bytes(r, payload) <= x_room.bytes;
  };
  while (!fits()) {
    CO_TRYV(co_await reserve_run());
  }
  const SegmentRecord& record = x_room.segment->record;
  x_chunk_payload = record.chunk_payload();
  if (x_hint_left > 0 && x_hint_left < record.stripe_payload()) {
    const Extent tail{record.id, 0, x_hint_left, 0};
    x_chunk_payload = stripe_shape(record, tail, 0).chunk_bytes - kHeaderBytes;
  }
  x_chunks.clear();
  for (unsigned i = 0; i < record.k; ++i) {
    x_chunks.push_back(Buffer::make(kHeaderBytes + x_chunk_payload));
  }
  x_chunk = x_fill = 0;
  x_in_stripe = true;
  co_return ok();
}

Task<MutBytes> StripeWriter::buffer() {
  if (!x_in_stripe) {
    CO_TRYV(co_await wait_below(kStripesInFlight));
    CO_TRYV(co_await begin_stripe());
  }
  co_return x_chunks[x_chunk].writable().subspan(kHeaderBytes + x_fill, x_chunk_payload - x_fill);
}

Task<> StripeWriter::advance(std::size_t n) {
  x_fill += n;
  OUTCROP_ASSERT(x_in_stripe && x_fill <= x_chunk_payload);
  if (x_fill == x_chunk_payload) {
    ++x_chunk;
    x_fill = 0;
    if (x_chunk == x_chunks.size()) {
      CO_TRYV(co_await end_stripe());
    }
  }
  co_return ok();
}

// The payload ended before the stripe was full and without a hint that said so: lay it out again
// over shorter chunks, or a small tail would cost a whole stripe of space.
void StripeWriter::reshape_tail(StripeShape shape) {
  const std::size_t payload = shape.chunk_bytes - kHeaderBytes;
  if (payload == x_chunk_payload) {
    return;
  }
  const std::uint64_t filled = stripe_filled();
  std::vector<Buffer> chunks;
  for (std::size_t i = 0; i < x_chunks.size(); ++i) {
    chunks.push_back(Buffer::make(shape.chunk_bytes));
  }
  for (std::uint64_t at = 0; at < filled;) {
    const std::uint64_t from = at % x_chunk_payload, to = at % payload;
    const std::uint64_t n = std::min({filled - at, x_chunk_payload - from, payload - to});
    std::memcpy(chunks[at / payload].data() + kHeaderBytes + to,
                x_chunks[at / x_chunk_payload].data() + kHeaderBytes + from, n);
    at += n;
  }
  x_chunks = std::move(chunks);
  x_chunk_payload = payload;
  x_chunk = filled / payload;
  x_fill = filled % payload;
}

Task<> StripeWriter::end_stripe() {
  const SegmentRecord& record = x_room.segment->record;
  const std::uint64_t filled = stripe_filled();
  const Extent stripe{record.id, x_room.offset + x_room_used, filled, x_stamp};
  const StripeShape shape = stripe_shape(record, stripe, 0);
  reshape_tail(shape);
  for (std::size_t i = x_chunk; i < x_chunks.size(); ++i) {
    const std::size_t from = i == x_chunk ? x_fill : 0;
    std::memset(x_chunks[i].data() + kHeaderBytes + from, 0, x_chunk_payload - from);
  }
  launch(shape);
  x_extent.length += filled;
  x_room_used += shape.chunk_bytes;
  x_hint_left -= std::min(x_hint_left, filled);
  x_in_stripe = false;
  co_return ok();
}

// Parity, headers, and one write per live drive; completion is looked at by wait_below().
void StripeWriter::launch(StripeShape shape) {
  Context& context = x_lane.context;
  const SegmentRecord& record = x_room.segment->record;
  const std::size_t payload = shape.chunk_bytes - kHeaderBytes;
  std::vector<Buffer> chunks = std::exchange(x_chunks, {});
  std::array<const std::byte*, kMaxShards> data{};
  std::array<std::byte*, kMaxShards> parity{};
  for (unsigned i = 0; i < record.k; ++i) {
    data[i] = chunks[i].data() + kHeaderBytes;
  }
  for (unsigned i = 0; i < record.m; ++i) {
    chunks.push_back(Buffer::make(shape.chunk_bytes));
    parity[i] = chunks.back().data() + kHeaderBytes;
  }
  x_room.segment->codec.encode(std::span(data).first(record.k), std::span(parity).first(record.m),
                               payload);
  auto write = std::make_unique<Write>();
  write->segment = x_room.segment;
  write->pin = pin_for_writing(x_room.segment);
  for (unsigned i = 0; i < chunks.size(); ++i) {
    io::File* file = x_room.segment->shard(i, context.drives);
    if (file == nullptr) {
      continue;
    }
    seal_chunk({.cluster = context.drives.cluster(),
                .segment = record.id,
                .offset = shape.offset,
                .stamp = x_stamp,
                .length = static_cast<std::uint32_t>(payload),
                .kind = i < record.k ? ChunkKind::data : ChunkKind::parity,
                .shard = static_cast<std::uint8_t>(i)},
               chunks[i].writable());
    write->ops.push_back({.kind = io::OpKind::write,
                          .file = file,
                          .offset = shape.offset,
                          .buffer = chunks[i],
                          .durable = false,
                          .result = {}});
    write->slots.push_back(record.slots[i]);
  }
  ++x_shared->in_flight;
  const std::span<io::IoOp> ops = write->ops;
  context.backend().submit(ops, [shared = x_shared, w = std::move(write)]() mutable {
    --shared->in_flight;
    shared->done.push_back(std::move(w));
    if (shared->waiter) {
      std::exchange(shared->waiter, {})(ok());
    }
  });
}

Task<> StripeWriter::wait_below(std::size_t in_flight) {
  for (;;) {
    for (const auto& write : std::exchange(x_shared->done, {})) {
      CO_TRYV(co_await settle(x_lane.context, write->ops, write->slots, write->segment->record.k));
    }
    if (x_shared->in_flight < in_flight) {
      co_return ok();
    }
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_shared->waiter = std::move(r); }));
  }
}

Task<std::vector<Extent>> StripeWriter::finish() {
  if (x_in_stripe && stripe_filled() > 0) {
    CO_TRYV(co_await end_stripe());
  }
  CO_TRYV(co_await wait_below(1));
  close_extent();
  for (const SegmentPtr& segment : x_segments) {
    CO_TRYV(co_await x_lane.syncs.sync(segment));
  }
  co_return std::exchange(x_extents, {});
}

}  // namespace outcrop::segment
