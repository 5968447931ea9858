// Verified reads of extents through a small bounded cache, for S3 and NFS alike. What is cached is
// whole read units (what the store verifies as one), so that small reads of striped data, and
// sequential reads that cut units, do not verify the same chunk again and again; reads of one unit
// at the same time share one fetch. Small extents pass through: the store itself keeps those.
// Extents never change, so nothing here is ever stale. Any thread.
#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "storage/base/async.h"
#include "storage/segment/blob_store.h"

namespace outcrop::ns {

enum class ReadAhead : std::uint8_t {
  none,
  stripe,  ///< the reader goes on behind the range: fetch the stripe to its end, and keep it
};

class ExtentCache {
 public:
  ExtentCache(segment::BlobStore& blobs, std::size_t max_bytes)
      : x_blobs(blobs), x_max_shard(max_bytes / kShards) {}
  ExtentCache(const ExtentCache&) = delete;

  /// Bytes [offset, offset + length) of the extent, at most a few MiB, as slices in order. Errors
  /// as BlobStore::read.
  Task<std::vector<Buffer>> read(Extent extent,
                                 std::uint64_t offset,
                                 std::uint64_t length,
                                 ReadAhead ahead = ReadAhead::none);
  std::size_t bytes() const;  ///< memory that the cached units keep alive

 private:
  static constexpr std::size_t kShards = 8;
  using Unit = std::shared_ptr<const std::vector<Buffer>>;
  struct Key {
    SegmentId segment;
    std::uint64_t extent, begin;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    Key key;
    Unit unit;
    std::size_t weight;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::list<Entry> lru;  ///< most recent first
    std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index;
    std::unordered_map<Key, std::vector<Resume<Unit>>, KeyHash> fetches;  ///< and who waits
    std::size_t weight = 0;
  };
  class Claim;
  struct Part;

  Shard& shard(const Key& key) { return x_shards[KeyHash{}(key) % kShards]; }
  enum class Found : std::uint8_t { hit, mine, busy };
  Found find_or_claim(const Key& key, Unit& unit);
  Task<Unit> wait(const Key& key);
  /// Ends a fetch: hands the unit (null: it failed) to who waits for it, and keeps it if asked.
  void finish(const Key& key, const Unit& unit, bool keep);
  std::vector<Part> parts_of(const Extent& extent,
                             std::uint64_t offset,
                             std::uint64_t length,
                             ReadAhead ahead);
  Task<> fetch(const Extent& extent, std::span<Part> parts);
  Task<> fetch_missing(const Extent& extent, std::span<Part> parts);

  segment::BlobStore& x_blobs;
  const std::size_t x_max_shard;
  std::array<Shard, kShards> x_shards;
};

/// Finds the readers that go through a file from front to back. Any thread.
class SequenceDetector {
 public:
  /// True if the read continues an earlier one of the file, or nearly: several requests of one
  /// client overtake each other.
  bool sequential(InodeId ino, std::uint64_t offset, std::uint64_t length);

 private:
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::uint64_t kSlack = 4 << 20;
  struct Slot {
    InodeId ino = 0;
    std::uint64_t end = 0;
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::array<Slot, kSlots / 16> slots;
  };
  std::array<Shard, 16> x_shards;
};

}  // namespace outcrop::ns
