#include "storage/segment/format.h"

#include <charconv>

#include "storage/base/codec.h"
#include "storage/digest/xxh.h"

namespace outcrop::segment {
namespace {

constexpr std::uint32_t kChunkMagic = 0x4b48434f;  // "OCHK"
constexpr std::uint8_t kChunkVersion = 1;
constexpr std::size_t kChecksumAt = kHeaderBytes - sizeof(std::uint64_t);
constexpr std::uint8_t kRecordVersion = 2;  // version 1 ends with the slots
constexpr std::uint64_t kMaxShardBytes = std::uint64_t{16} << 30;

struct Header {
  std::uint32_t magic;
  std::uint8_t version;
  std::uint8_t kind;
  std::uint8_t shard;
  std::uint8_t zero;
  std::uint8_t cluster[16];
  std::uint64_t segment;
  std::uint64_t offset;
  std::uint64_t stamp;
  std::uint32_t length;
  std::uint32_t zero2;
  std::uint64_t checksum;
};
static_assert(sizeof(Header) == kHeaderBytes);

Header header_of(const ChunkIdentity& id) {
  Header h{};
  h.magic = kChunkMagic;
  h.version = kChunkVersion;
  h.kind = static_cast<std::uint8_t>(id.kind);
  h.shard = id.shard;
  std::memcpy(h.cluster, id.cluster.bytes.data(), sizeof h.cluster);
  h.segment = id.segment;
  h.offset = id.offset;
  h.stamp = id.stamp;
  h.length = id.length;
  return h;
}

/// The payload's hash, chained with the identity fields.
std::uint64_t checksum_of(const Header& h, ConstBytes payload) {
  std::array<std::byte, kHeaderBytes> bytes;
  std::memcpy(bytes.data(), &h, kChecksumAt);
  const std::uint64_t body = digest::xxh3_64(payload);
  std::memcpy(bytes.data() + kChecksumAt, &body, sizeof body);
  return digest::xxh3_64(bytes);
}

}  // namespace

void seal_chunk(const ChunkIdentity& identity, MutBytes chunk) {
  OUTCROP_ASSERT(chunk.size() >= kHeaderBytes + identity.length);
  Header h = header_of(identity);
  h.checksum = checksum_of(h, chunk.subspan(kHeaderBytes, identity.length));
  std::memcpy(chunk.data(), &h, sizeof h);
}

Result<void> check_chunk(const ChunkIdentity& identity, ConstBytes chunk) {
  if (chunk.size() < kHeaderBytes + identity.length) {
    return fail(Errc::corrupt, "chunk is short");
  }
  Header want = header_of(identity);
  if (std::memcmp(&want, chunk.data(), kChecksumAt) != 0) {
    return fail(Errc::corrupt, "chunk identity");
  }
  want.checksum = checksum_of(want, chunk.subspan(kHeaderBytes, identity.length));
  if (std::memcmp(&want, chunk.data(), sizeof want) != 0) {
    return fail(Errc::corrupt, "chunk checksum");
  }
  return ok();
}

std::optional<ChunkIdentity> peek_chunk(ConstBytes chunk) {
  Header h{};
  if (chunk.size() < sizeof h) {
    return std::nullopt;
  }
  std::memcpy(&h, chunk.data(), sizeof h);
  const bool kind_ok = h.kind >= static_cast<std::uint8_t>(ChunkKind::small) &&
                       h.kind <= static_cast<std::uint8_t>(ChunkKind::parity);
  if (h.magic != kChunkMagic || h.version != kChunkVersion || !kind_ok || h.zero != 0 ||
      h.zero2 != 0) {
    return std::nullopt;
  }
  ChunkIdentity out;
  std::memcpy(out.cluster.bytes.data(), h.cluster, sizeof h.cluster);
  out.segment = h.segment;
  out.offset = h.offset;
  out.stamp = h.stamp;
  out.length = h.length;
  out.kind = static_cast<ChunkKind>(h.kind);
  out.shard = h.shard;
  return out;
}

std::string encode(const SegmentRecord& record) {
  Writer w;
  w.u8(kRecordVersion);
  w.varint(record.id);
  w.u8(record.k);
  w.u8(record.m);
  w.u8(record.small ? 1 : 0);
  w.u8(record.matrix);
  w.varint(record.chunk_bytes);
  w.varint(record.shard_bytes);
  for (const drives::Slot slot : record.slots) {
    w.u8(slot);
  }
  w.u8(record.closed ? 1 : 0);
  w.varint(record.holes);
  w.varint(record.verified);
  return std::move(w).take();
}

Result<SegmentRecord> decode_segment(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  if (version == 0 || version > kRecordVersion) {
    return fail(Errc::corrupt, "segment record version");
  }
  SegmentRecord out;
  out.id = r.varint();
  out.k = r.u8();
  out.m = r.u8();
  const std::uint8_t small = r.u8();
  out.small = small == 1;
  out.matrix = r.u8();
  const std::uint64_t chunk = r.varint();
  out.shard_bytes = r.varint();
  const unsigned shards = out.k + out.m;
  for (unsigned i = 0; i < shards && shards <= kMaxShards; ++i) {
    out.slots.push_back(r.u8());
  }
  const std::uint8_t closed = version >= 2 ? r.u8() : 0;
  const std::uint64_t holes = version >= 2 ? r.varint() : 0;
  out.verified = version >= 2 ? r.varint() : 0;
  const bool state_ok =
      closed <= 1 && (closed == 1 ? holes >> std::min(shards, 32U) == 0 : holes == 0);
  const bool chunk_ok = chunk >= kIoAlign && chunk % kIoAlign == 0 && chunk <= (4U << 20);
  const bool shape_ok = out.k >= 1 && out.m <= kMaxParity && shards <= kMaxShards && small <= 1 &&
                        (!out.small || out.k == 1);
  const bool size_ok = out.shard_bytes % kIoAlign == 0 && out.shard_bytes <= kMaxShardBytes;
  const bool slots_ok =
      std::ranges::all_of(out.slots, [](drives::Slot s) { return s < drives::kMaxDrives; });
  if (!r.done() || !chunk_ok || !shape_ok || !size_ok || !slots_ok || !state_ok || out.id == 0 ||
      out.matrix != kCauchyMatrix) {
    return fail(Errc::corrupt, "segment record");
  }
  out.chunk_bytes = static_cast<std::uint32_t>(chunk);
  out.closed = closed == 1;
  out.holes = static_cast<ShardMask>(holes);
  return out;
}

std::uint32_t chunk_bytes_for(unsigned k) {
  return static_cast<std::uint32_t>(align_up(kStripeTarget / k, kIoAlign));
}

std::uint64_t stripe_count(const SegmentRecord& segment, std::uint64_t length) {
  return (length + segment.stripe_payload() - 1) / segment.stripe_payload();
}

StripeShape stripe_shape(const SegmentRecord& segment, const Extent& extent, std::uint64_t index) {
  const std::uint64_t full = segment.stripe_payload();
  StripeShape shape;
  shape.offset = extent.offset + index * segment.chunk_bytes;
  shape.payload = std::min(full, extent.length - index * full);
  shape.chunk_bytes = segment.chunk_bytes;
  if (shape.payload < full) {
    const std::uint64_t share = (shape.payload + segment.k - 1) / segment.k;
    shape.chunk_bytes = static_cast<std::uint32_t>(align_up(kHeaderBytes + share, kIoAlign));
  }
  return shape;
}

std::uint64_t run_bytes(const SegmentRecord& segment, std::uint64_t length) {
  if (length == 0) {
    return 0;
  }
  const Extent run{segment.id, 0, length, 0};
  const StripeShape last = stripe_shape(segment, run, stripe_count(segment, length) - 1);
  return last.offset + last.chunk_bytes;
}

std::string shard_path(SegmentId id, unsigned shard) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "segments/%016llx-%02u",
                static_cast<unsigned long long>(id), shard);
  return text.data();
}

std::optional<std::pair<SegmentId, unsigned>> parse_shard_name(std::string_view name) {
  if (name.size() != 19 || name[16] != '-') {
    return std::nullopt;
  }
  SegmentId id = 0;
  unsigned shard = 0;
  const char* at = name.data();
  const auto hex = std::from_chars(at, at + 16, id, 16);
  const auto dec = std::from_chars(at + 17, at + 19, shard, 10);
  if (hex.ec != std::errc{} || hex.ptr != at + 16 || dec.ec != std::errc{} || dec.ptr != at + 19) {
    return std::nullopt;
  }
  return std::pair{id, shard};
}

}  // namespace outcrop::segment
