#include "storage/segment/payload_cache.h"

namespace outcrop::segment {
namespace {

/// Entries larger than this part of a shard would turn it over too fast.
constexpr std::uint64_t kLargestPart = 4;

}  // namespace

std::size_t PayloadCache::Hash::operator()(const Extent& e) const {
  // Offsets are multiples of 64 in one segment after the other: spread all bits over the low ones.
  std::uint64_t x = (e.segment << 40) ^ e.offset ^ e.stamp;
  x = (x ^ (x >> 32)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::size_t>(x ^ (x >> 29));
}

Buffer PayloadCache::find(const Extent& extent) {
  Shard& s = shard(extent);
  const std::lock_guard lock(s.mutex);
  const auto at = s.index.find(extent);
  if (at == s.index.end()) {
    ++s.misses;
    return {};
  }
  ++s.hits;
  prove(s, at->second);
  return at->second->payload;
}

void PayloadCache::prove(Shard& shard, Entries::iterator entry) {
  shard.proven.splice(shard.proven.begin(), entry->proven ? shard.proven : shard.on_trial, entry);
  if (entry->proven) {
    return;
  }
  entry->proven = true;
  shard.proven_bytes += entry->weight();
  // A quarter stays for those on trial, or nothing new could ever prove itself.
  while (shard.proven_bytes > x_shard_bytes / 4 * 3 && shard.proven.size() > 1) {
    const auto oldest = std::prev(shard.proven.end());
    oldest->proven = false;
    shard.proven_bytes -= oldest->weight();
    shard.on_trial.splice(shard.on_trial.begin(), shard.proven, oldest);
  }
}

void PayloadCache::add(const Extent& extent, ConstBytes payload) {
  const std::uint64_t weight = payload.size() + kEntryBytes;
  if (weight > x_shard_bytes / kLargestPart) {
    return;
  }
  Buffer copy = Buffer::unpooled(payload);
  Shard& s = shard(extent);
  const std::lock_guard lock(s.mutex);
  const auto [at, fresh] = s.index.try_emplace(extent);
  if (!fresh) {
    return;
  }
  s.on_trial.push_front({extent, std::move(copy)});
  at->second = s.on_trial.begin();
  s.bytes += weight;
  shrink(s);
}

void PayloadCache::shrink(Shard& shard) {
  while (shard.bytes > x_shard_bytes) {
    Entries& from = shard.on_trial.empty() ? shard.proven : shard.on_trial;
    const Entry& oldest = from.back();
    shard.bytes -= oldest.weight();
    shard.proven_bytes -= oldest.proven ? oldest.weight() : 0;
    shard.index.erase(oldest.extent);
    from.pop_back();
  }
}

PayloadCache::Counts PayloadCache::counts() const {
  Counts out;
  for (const Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    out.hits += s.hits;
    out.misses += s.misses;
    out.bytes += s.bytes;
  }
  return out;
}

}  // namespace outcrop::segment
