#include <algorithm>

#include "storage/segment/reader.h"

namespace outcrop::segment {
namespace {

/// One stripe of a read: which chunks are wanted, and what has been read so far.
struct StripeRead {
  StripeShape shape;
  std::uint64_t from = 0, to = 0;           // payload range within the stripe
  std::array<Buffer, kMaxShards> chunks{};  // verified ones
  ShardMask tried = 0;                      // asked for, or not to be asked
  ShardMask late = 0;                       // left out, or not waited for: may still be had
};

class StripedReader {
 public:
  StripedReader(Context& context, SegmentPtr segment, Extent extent)
      : x_context(context),
        x_segment(std::move(segment)),
        x_layout(x_segment->layout()),
        x_extent(extent) {}

  Task<std::vector<Buffer>> read(std::uint64_t offset, std::uint64_t length);

 private:
  static unsigned have(const StripeRead& s) {
    return static_cast<unsigned>(
        std::ranges::count_if(s.chunks, [](const Buffer& b) { return static_cast<bool>(b); }));
  }
  std::size_t payload_of(const StripeRead& s) const { return s.shape.chunk_bytes - kHeaderBytes; }
  enum class Patience : std::uint8_t { hedged, full };
  void want(StripeRead& stripe, std::size_t index, unsigned shard, Patience patience);
  Async<> fetch(std::vector<StripeRead>& stripes);
  Task<> rebuild(StripeRead& stripe, std::vector<StripeRead>& stripes, std::size_t index);

  Context& x_context;
  SegmentPtr x_segment;
  LayoutPtr x_layout;
  Extent x_extent;
  struct Target {
    std::size_t stripe;
    unsigned shard;
  };
  std::vector<io::IoOp> x_ops;
  std::vector<Target> x_targets;
};

// What is late is left out for now: other shards give the same.
void StripedReader::want(StripeRead& stripe, std::size_t index, unsigned shard, Patience patience) {
  stripe.tried |= 1U << shard;
  if (patience == Patience::hedged && x_context.late(x_layout->slots[shard])) {
    stripe.late |= 1U << shard;
    return;
  }
  if (io::File* file = x_layout->file(shard, x_context.drives)) {
    x_ops.push_back({.kind = io::OpKind::read,
                     .file = file,
                     .offset = stripe.shape.offset,
                     .buffer = Buffer::make(stripe.shape.chunk_bytes),
                     .durable = false,
                     .hedged = patience == Patience::hedged && x_segment->record.m > 0,
                     .result = {}});
    x_targets.push_back({index, shard});
  }
}

// Reads what want() asked for and keeps the chunks that verify.
Async<> StripedReader::fetch(std::vector<StripeRead>& stripes) {
  if (x_ops.empty()) {
    co_return;
  }
  co_await io::run(x_context.backend(), x_ops);
  for (std::size_t i = 0; i < x_ops.size(); ++i) {
    const auto [index, shard] = x_targets[i];
    StripeRead& stripe = stripes[index];
    const ChunkIdentity identity{
        .cluster = x_context.drives.cluster(),
        .segment = x_extent.segment,
        .offset = stripe.shape.offset,
        .stamp = x_extent.stamp,
        .length = static_cast<std::uint32_t>(payload_of(stripe)),
        .kind = shard < x_segment->record.k ? ChunkKind::data : ChunkKind::parity,
        .shard = static_cast<std::uint8_t>(shard)};
    if (x_ops[i].result && check_chunk(identity, x_ops[i].buffer.view())) {
      stripe.chunks[shard] = std::move(x_ops[i].buffer);
    } else if (!x_ops[i].result && x_ops[i].result.error().code() == Errc::timed_out) {
      x_context.stats.hedged_reads.fetch_add(1, std::memory_order_relaxed);
      stripe.late |= 1U << shard;
    } else {
      x_context.stats.corrupt_chunks.fetch_add(1, std::memory_order_relaxed);
      if ((x_layout->holes & (1U << shard)) == 0) {
        x_context.damage.add({x_extent.segment, stripe.shape.offset,
                              stripe.shape.offset + stripe.shape.chunk_bytes});
      }
    }
  }
  x_ops.clear();
  x_targets.clear();
}

// Reads the stripe's other shards and computes the data chunks that are wanted but not there.
Task<> StripedReader::rebuild(StripeRead& stripe,
                              std::vector<StripeRead>& stripes,
                              std::size_t index) {
  const SegmentRecord& record = x_segment->record;
  const unsigned shards = record.k + record.m;
  for (unsigned shard = 0; shard < shards; ++shard) {
    if ((stripe.tried & (1U << shard)) == 0) {
      want(stripe, index, shard, Patience::hedged);
    }
  }
  co_await fetch(stripes);
  if (have(stripe) < record.k) {
    for (unsigned shard = 0; shard < shards; ++shard) {
      if ((stripe.late & (1U << shard)) != 0) {
        want(stripe, index, shard, Patience::full);
      }
    }
    co_await fetch(stripes);
  }
  std::array<const std::byte*, kMaxShards> data{};
  ec::ShardSet present = 0;
  for (unsigned shard = 0; shard < shards; ++shard) {
    if (stripe.chunks[shard]) {
      data[shard] = stripe.chunks[shard].data() + kHeaderBytes;
      present |= 1U << shard;
    }
  }
  const std::size_t payload = payload_of(stripe);
  ec::ShardSet wanted = 0;
  std::vector<std::byte*> missing;
  for (std::uint64_t shard = stripe.from / payload; shard <= (stripe.to - 1) / payload; ++shard) {
    if (!stripe.chunks[shard]) {
      stripe.chunks[shard] = Buffer::make(stripe.shape.chunk_bytes);
      missing.push_back(stripe.chunks[shard].data() + kHeaderBytes);
      wanted |= 1U << shard;
    }
  }
  x_context.stats.reconstructed_reads.fetch_add(1, std::memory_order_relaxed);
  co_return x_segment->codec.reconstruct(present, std::span(data).first(shards), wanted, missing,
                                         payload);
}

Task<std::vector<Buffer>> StripedReader::read(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t full = x_segment->record.stripe_payload();
  std::vector<StripeRead> stripes;
  for (std::uint64_t at = offset, end = offset + length; at < end;) {
    StripeRead stripe;
    const std::uint64_t index = at / full;
    stripe.shape = stripe_shape(x_segment->record, x_extent, index);
    stripe.from = at - index * full;
    stripe.to = std::min(stripe.shape.payload, end - index * full);
    at = index * full + stripe.to;
    stripes.push_back(std::move(stripe));
  }
  const auto each_chunk = [this](StripeRead& stripe, auto&& visit) {
    const std::size_t payload = payload_of(stripe);
    for (std::uint64_t shard = stripe.from / payload; shard <= (stripe.to - 1) / payload; ++shard) {
      visit(static_cast<unsigned>(shard));
    }
  };
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    each_chunk(stripes[i], [&](unsigned shard) { want(stripes[i], i, shard, Patience::hedged); });
  }
  co_await fetch(stripes);
  std::vector<Buffer> out;
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    StripeRead& stripe = stripes[i];
    bool complete = true;
    each_chunk(stripe,
               [&](unsigned shard) { complete &= static_cast<bool>(stripe.chunks[shard]); });
    if (!complete) {
      CO_TRYV(co_await rebuild(stripe, stripes, i));
    }
    const std::size_t payload = payload_of(stripe);
    each_chunk(stripe, [&](unsigned shard) {
      const std::uint64_t begin = std::max<std::uint64_t>(stripe.from, shard * payload);
      const std::uint64_t end = std::min<std::uint64_t>(stripe.to, (shard + 1) * payload);
      out.push_back(
          stripe.chunks[shard].slice(kHeaderBytes + begin - shard * payload, end - begin));
    });
  }
  co_return out;
}

}  // namespace

Task<std::vector<Buffer>> read_striped(Context& context,
                                       SegmentPtr segment,
                                       Extent extent,
                                       std::uint64_t offset,
                                       std::uint64_t length) {
  const SegmentRecord& record = segment->record;
  const bool inside = !record.small && extent.length > 0 && offset + length <= extent.length &&
                      extent.offset + run_bytes(record, extent.length) <= record.shard_bytes;
  if (!inside) {
    co_return fail(Errc::corrupt, "extent outside its segment");
  }
  if (length == 0) {
    co_return std::vector<Buffer>{};
  }
  StripedReader reader(context, std::move(segment), extent);
  co_return co_await reader.read(offset, length);
}

}  // namespace outcrop::segment
