#include "storage/ns/extent_cache.h"

#include <algorithm>

namespace outcrop::ns {
namespace {

std::size_t pinned_by(const std::vector<Buffer>& buffers) {
  std::size_t total = sizeof(void*) * 32;
  for (const Buffer& buffer : buffers) {
    total += buffer.pinned_bytes();
  }
  return total;
}

// Takes the first `n` bytes off a list of slices that is read from `index` and `used` on.
struct SliceReader {
  const std::vector<Buffer>& slices;
  std::size_t index = 0, used = 0;

  std::vector<Buffer> take(std::uint64_t n) {
    std::vector<Buffer> out;
    while (n > 0) {
      const Buffer& slice = slices[index];
      const std::size_t part = std::min<std::uint64_t>(n, slice.size() - used);
      if (part > 0) {
        out.push_back(slice.slice(used, part));
      }
      used += part;
      n -= part;
      if (used == slice.size()) {
        ++index;
        used = 0;
      }
    }
    return out;
  }
};

std::uint64_t total_of(const std::vector<Buffer>& buffers) {
  std::uint64_t total = 0;
  for (const Buffer& buffer : buffers) {
    total += buffer.size();
  }
  return total;
}

}  // namespace

/// A fetch that this reader has taken on: the waiters are told however it ends.
class ExtentCache::Claim {
 public:
  Claim(ExtentCache& cache, const Key& key) : x_cache(&cache), x_key(key) {}
  Claim(Claim&& other) noexcept
      : x_cache(std::exchange(other.x_cache, nullptr)), x_key(other.x_key) {}
  Claim& operator=(Claim&&) = delete;
  ~Claim() { finish(nullptr, false); }
  void finish(const Unit& unit, bool keep) {
    if (ExtentCache* cache = std::exchange(x_cache, nullptr)) {
      cache->finish(x_key, unit, keep);
    }
  }

 private:
  ExtentCache* x_cache;
  Key x_key;
};

struct ExtentCache::Part {
  Key key;
  std::uint64_t begin = 0, end = 0;  ///< of the unit, in the extent
  std::uint64_t from = 0, to = 0;    ///< what is wanted of it; equal: nothing
  Unit unit;
  std::optional<Claim> claim;
  bool keep() const { return to - from < end - begin; }
};

std::size_t ExtentCache::KeyHash::operator()(const Key& key) const {
  std::uint64_t h = key.segment * 0x9e3779b97f4a7c15 ^ key.extent;
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9 ^ key.begin;
  return (h ^ (h >> 32)) * 0x94d049bb133111eb >> 16;
}

std::size_t ExtentCache::bytes() const {
  std::size_t total = 0;
  for (const Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    total += s.weight;
  }
  return total;
}

ExtentCache::Found ExtentCache::find_or_claim(const Key& key, Unit& unit) {
  Shard& s = shard(key);
  const std::lock_guard lock(s.mutex);
  if (const auto hit = s.index.find(key); hit != s.index.end()) {
    s.lru.splice(s.lru.begin(), s.lru, hit->second);
    unit = hit->second->unit;
    return Found::hit;
  }
  return s.fetches.try_emplace(key).second ? Found::mine : Found::busy;
}

Task<ExtentCache::Unit> ExtentCache::wait(const Key& key) {
  return suspend<Unit>([this, key](Resume<Unit> resume) {
    Shard& s = shard(key);
    {
      const std::lock_guard lock(s.mutex);
      if (const auto it = s.fetches.find(key); it != s.fetches.end()) {
        it->second.push_back(std::move(resume));
        return;
      }
    }
    resume(Unit{});  // it ended in between: look again
  });
}

void ExtentCache::finish(const Key& key, const Unit& unit, bool keep) {
  std::vector<Resume<Unit>> waiters;
  std::list<Entry> dropped;  // freed after the lock
  {
    Shard& s = shard(key);
    const std::lock_guard lock(s.mutex);
    waiters = std::move(s.fetches.extract(key).mapped());
    const std::size_t weight = unit ? pinned_by(*unit) : 0;
    if (unit && keep && weight <= x_max_shard) {
      s.lru.push_front({key, unit, weight});
      s.index.emplace(key, s.lru.begin());
      s.weight += weight;
      while (s.weight > x_max_shard) {
        s.weight -= s.lru.back().weight;
        s.index.erase(s.lru.back().key);
        dropped.splice(dropped.begin(), s.lru, std::prev(s.lru.end()));
      }
    }
  }
  for (Resume<Unit>& resume : waiters) {
    resume(unit);
  }
}

std::vector<ExtentCache::Part> ExtentCache::parts_of(const Extent& extent,
                                                     std::uint64_t offset,
                                                     std::uint64_t length,
                                                     ReadAhead ahead) {
  std::vector<Part> out;
  const std::uint64_t end = offset + length;
  std::uint64_t last = end;
  for (std::uint64_t at = offset; at < last;) {
    const segment::ReadUnit unit = x_blobs.read_unit(extent, at);
    Part part;
    part.key = {extent.segment, extent.offset, unit.begin};
    part.begin = unit.begin;
    part.end = unit.end;
    part.from = std::min(std::max(unit.begin, offset), end);
    part.to = std::min(unit.end, end);
    part.to = std::max(part.to, part.from);
    at = unit.end;
    if (at >= end && ahead == ReadAhead::stripe) {
      last = std::max(last, unit.stripe_end);
    }
    out.push_back(std::move(part));
  }
  return out;
}

// Reads units that lie side by side and were claimed, in one go.
Task<> ExtentCache::fetch(const Extent& extent, std::span<Part> parts) {
  const std::uint64_t begin = parts.front().begin, end = parts.back().end;
  CO_TRY(const std::vector<Buffer> slices,
         co_await x_blobs.read(extent, begin, end - begin, segment::Purpose::client));
  if (total_of(slices) != end - begin) {
    co_return fail(Errc::internal, "read of another length than asked");
  }
  SliceReader reader{slices};
  for (Part& part : parts) {
    part.unit = std::make_shared<const std::vector<Buffer>>(reader.take(part.end - part.begin));
    part.claim->finish(part.unit, part.keep());
    part.claim.reset();
  }
  co_return ok();
}

// Claims what is neither cached nor on its way, and fetches it.
Task<> ExtentCache::fetch_missing(const Extent& extent, std::span<Part> parts) {
  for (Part& part : parts) {
    if (!part.unit && find_or_claim(part.key, part.unit) == Found::mine) {
      part.claim.emplace(*this, part.key);
    }
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::size_t end = i;
    while (end < parts.size() && parts[end].claim) {
      ++end;
    }
    if (end > i) {
      CO_TRYV(co_await fetch(extent, parts.subspan(i, end - i)));
      i = end;
    }
  }
  co_return ok();
}

Task<std::vector<Buffer>> ExtentCache::read(Extent extent,
                                            std::uint64_t offset,
                                            std::uint64_t length,
                                            ReadAhead ahead) {
  if (offset > extent.length || length > extent.length - offset) {
    co_return fail(Errc::corrupt, "read outside of an extent");
  }
  if (extent.length <= segment::kSmallMax) {
    co_return co_await x_blobs.read(extent, offset, length, segment::Purpose::client);
  }
  std::vector<Part> parts = parts_of(extent, offset, length, ahead);
  for (;;) {
    CO_TRYV(co_await fetch_missing(extent, parts));
    // Another reader fetches it. We hold no claim now: two readers never wait for each other.
    const auto busy = std::ranges::find_if(
        parts, [](const Part& part) { return part.from < part.to && !part.unit; });
    if (busy == parts.end()) {
      break;
    }
    CO_TRY(busy->unit, co_await wait(busy->key));
  }
  std::vector<Buffer> out;
  for (const Part& part : parts) {
    if (part.from < part.to) {
      SliceReader reader{*part.unit};
      reader.take(part.from - part.begin);
      std::ranges::move(reader.take(part.to - part.from), std::back_inserter(out));
    }
  }
  co_return out;
}

bool SequenceDetector::sequential(InodeId ino, std::uint64_t offset, std::uint64_t length) {
  Shard& s = x_shards[ino % x_shards.size()];
  const std::lock_guard lock(s.mutex);
  Slot& slot = s.slots[ino / x_shards.size() % s.slots.size()];
  const bool same = slot.ino == ino;
  const bool near = same && offset + kSlack > slot.end && offset <= slot.end + kSlack;
  const std::uint64_t end = offset + length;
  slot = {ino, near ? std::max(slot.end, end) : end};
  return near || offset == 0;
}

}  // namespace outcrop::ns
