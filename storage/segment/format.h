// Bytes in a shard file: every chunk and every small record starts with a 64-byte header that says
// what it is and where it belongs, and a checksum that covers header and payload. A chunk that was
// misdirected, lost, or left over from the file's earlier use fails. docs/ON_DISK_FORMAT.md.
// Sans-IO; fuzzed.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/result.h"
#include "storage/drives/drive_set.h"

namespace outcrop::segment {

inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr unsigned kMaxShards = 16;  ///< k + m
inline constexpr unsigned kMaxParity = 8;
inline constexpr std::uint64_t kStripeTarget = 1 << 20;  ///< payload of one full stripe, about
/// Matrix id on disk: 1 is ISA-L's Cauchy matrix (gf_gen_cauchy1_matrix).
inline constexpr std::uint8_t kCauchyMatrix = 1;

enum class ChunkKind : std::uint8_t { small = 1, data = 2, parity = 3 };

/// What a chunk claims to be. Equal identity and a right checksum make it the chunk that was meant.
struct ChunkIdentity {
  Uuid cluster;
  SegmentId segment = 0;
  std::uint64_t offset = 0;  ///< of the header, in the shard file
  std::uint64_t stamp = 0;   ///< the extent's
  std::uint32_t length = 0;  ///< payload bytes after the header
  ChunkKind kind = ChunkKind::small;
  std::uint8_t shard = 0;  ///< index in the segment; 0 for small records, alike on every drive
  bool operator==(const ChunkIdentity&) const = default;
};

/// Fills the header in front of `payload`: both lie in `chunk`, which is header then payload.
void seal_chunk(const ChunkIdentity& identity, MutBytes chunk);
/// corrupt unless `chunk` (header and at least identity.length bytes) is exactly that chunk.
Result<void> check_chunk(const ChunkIdentity& identity, ConstBytes chunk);
/// What the header at the start of `chunk` claims, unchecked; empty if it is none of ours.
std::optional<ChunkIdentity> peek_chunk(ConstBytes chunk);

/// Bit i is shard i of a segment.
using ShardMask = std::uint32_t;

/// The catalogue's description of a segment, at meta::segment_key(id). Geometry never changes;
/// repair moves shards (docs/adr/0004-drives-and-repair.md).
struct SegmentRecord {
  SegmentId id = 0;
  std::uint8_t k = 1, m = 0;
  bool small = false;  ///< (1, m): whole records; else stripes
  std::uint8_t matrix = kCauchyMatrix;
  std::uint32_t chunk_bytes = 0;    ///< header and payload of a full chunk, a multiple of 4 KiB
  std::uint64_t shard_bytes = 0;    ///< size of each shard file
  std::vector<drives::Slot> slots;  ///< k + m drives, by shard
  bool closed = false;              ///< nothing more is written, and `holes` is exact
  ShardMask holes = 0;              ///< shards that may lack some of the data
  std::uint64_t verified = 0;       ///< Unix seconds when all of it was last read; 0: never
  bool operator==(const SegmentRecord&) const = default;

  std::uint64_t chunk_payload() const { return chunk_bytes - kHeaderBytes; }
  std::uint64_t stripe_payload() const { return k * chunk_payload(); }
};

std::string encode(const SegmentRecord& record);
Result<SegmentRecord> decode_segment(std::string_view bytes);

/// Chunk size for k data shards: about kStripeTarget / k, a multiple of 4 KiB.
std::uint32_t chunk_bytes_for(unsigned k);

/// Where stripe `index` of a run lies and how long its chunks are. All stripes are full but the
/// last, whose chunks are cut to the payload so that small tails cost little.
struct StripeShape {
  std::uint64_t offset = 0;       ///< in each shard file
  std::uint32_t chunk_bytes = 0;  ///< header + payload + padding to 4 KiB: the transfer size
  std::uint64_t payload = 0;      ///< bytes of the extent in this stripe
};
std::uint64_t stripe_count(const SegmentRecord& segment, std::uint64_t length);
StripeShape stripe_shape(const SegmentRecord& segment, const Extent& extent, std::uint64_t index);
/// Bytes of each shard file that a run of `length` payload bytes takes.
std::uint64_t run_bytes(const SegmentRecord& segment, std::uint64_t length);

std::string shard_path(SegmentId id, unsigned shard);
/// The segment and shard a file name in segments/ stands for; empty: not one of ours.
std::optional<std::pair<SegmentId, unsigned>> parse_shard_name(std::string_view name);

}  // namespace outcrop::segment
