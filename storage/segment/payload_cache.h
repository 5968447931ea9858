// Verified payloads of small records, in memory, for whoever reads them again: S3 and NFS alike.
// An extent's bytes never change and its segment id is never reused, so nothing here is ever stale.
#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"

namespace outcrop::segment {

/// Bounded in bytes; any thread. A payload enters on trial and stays when it is read again, so a
/// scan over many objects does not push out those that are in use.
class PayloadCache {
 public:
  explicit PayloadCache(std::uint64_t max_bytes) : x_shard_bytes(max_bytes / kShards) {}
  PayloadCache(const PayloadCache&) = delete;

  /// The whole payload of the extent; empty if it is not here. For reading only.
  Buffer find(const Extent& extent);
  /// Keeps a copy of the extent's whole payload, unless it is large for this cache.
  void add(const Extent& extent, ConstBytes payload);

  struct Counts {
    std::uint64_t hits = 0, misses = 0, bytes = 0;
  };
  Counts counts() const;

 private:
  static constexpr std::size_t kShards = 16;
  /// What an entry costs beyond its payload: list node, index node, buffer.
  static constexpr std::uint64_t kEntryBytes = 256;

  struct Entry {
    Extent extent;
    Buffer payload;
    bool proven = false;  ///< which list it is in
    std::uint64_t weight() const { return payload.size() + kEntryBytes; }
  };
  using Entries = std::list<Entry>;
  struct Hash {
    std::size_t operator()(const Extent& e) const;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries on_trial, proven;  ///< most recent first
    std::unordered_map<Extent, Entries::iterator, Hash> index;
    std::uint64_t bytes = 0, proven_bytes = 0, hits = 0, misses = 0;
  };

  Shard& shard(const Extent& extent) { return x_shards[Hash{}(extent) % kShards]; }
  void prove(Shard& shard, Entries::iterator entry);
  void shrink(Shard& shard);

  const std::uint64_t x_shard_bytes;
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::segment
