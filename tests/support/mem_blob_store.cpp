#include "tests/support/mem_blob_store.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "storage/base/assert.h"
#include "storage/meta/tables.h"

namespace outcrop::test {
namespace {
constexpr std::uint64_t kExtentsPerSegment = 16;
constexpr std::uint64_t kUnit = 10'000;
constexpr std::uint64_t kUnitsPerStripe = 4;
constexpr std::size_t kWriterBuffer = 64 << 10;
}  // namespace

class MemBlobStore::MemPin final : public segment::Pin {
 public:
  MemPin(MemBlobStore& store, std::vector<Place> places)
      : x_store(store), x_places(std::move(places)) {}
  ~MemPin() override { x_store.unpin(x_places); }

 private:
  MemBlobStore& x_store;
  const std::vector<Place> x_places;
};

class MemBlobWriter final : public segment::BlobWriter {
 public:
  explicit MemBlobWriter(MemBlobStore& store) : x_store(store) {}

  Task<MutBytes> buffer() override {
    OUTCROP_ASSERT(!x_finished);
    if (!x_buffer) {
      x_buffer = Buffer::make(kWriterBuffer);
    }
    x_offered = true;
    co_return x_buffer.writable();
  }
  Task<> advance(std::size_t n) override {
    OUTCROP_ASSERT(x_offered && n <= x_buffer.size());
    x_offered = false;
    x_bytes.append(as_text(x_buffer.view().first(n)));
    co_return ok();
  }
  Task<std::vector<Extent>> finish() override {
    OUTCROP_ASSERT(!x_finished);
    x_finished = true;
    std::vector<Extent> out;
    for (std::size_t at = 0; at < x_bytes.size(); at += x_store.x_extent_bytes) {
      const auto chunk = std::string_view(x_bytes).substr(at, x_store.x_extent_bytes);
      const std::lock_guard lock(x_store.x_mutex);
      out.push_back(x_store.store(as_bytes(chunk)));
      // Pinned before anybody can collect it.
      ++x_store.x_extents.at({out.back().segment, out.back().offset}).pins;
    }
    x_pin = x_store.pin(out);
    std::vector<MemBlobStore::Place> places;
    for (const Extent& e : out) {
      places.emplace_back(e.segment, e.offset);
    }
    x_store.unpin(places);
    co_return out;
  }

 private:
  MemBlobStore& x_store;
  Buffer x_buffer;
  bool x_offered = false, x_finished = false;
  std::string x_bytes;
  segment::PinPtr x_pin;
};

MemBlobStore::MemBlobStore(MemMetaStore& meta, std::uint64_t extent_bytes)
    : x_meta(meta), x_extent_bytes(extent_bytes) {
  meta.on_commit([this](const meta::Batch& batch) { check_commit(batch); });
}

MemBlobStore::~MemBlobStore() {
  x_meta.on_commit({});
  for (const auto& [place, stored] : x_extents) {
    OUTCROP_ASSERT(stored.pins == 0 && "pin outlives the store");
  }
}

// Under the mutex.
Extent MemBlobStore::store(ConstBytes payload) {
  const std::uint64_t id = x_next++;
  const Extent extent{.segment = 1 + id / kExtentsPerSegment,
                      .offset = id % kExtentsPerSegment << 20,
                      .length = payload.size(),
                      .stamp = id * 0x9e3779b97f4a7c15};
  x_extents[{extent.segment, extent.offset}] = {std::string(as_text(payload)), extent.stamp, 0};
  return extent;
}

Task<segment::Placed> MemBlobStore::place_small(ConstBytes payload) {
  OUTCROP_ASSERT(!payload.empty() && payload.size() <= segment::kSmallMax);
  segment::Placed out;
  {
    const std::lock_guard lock(x_mutex);
    out.extent = store(payload);
    const Place place{out.extent.segment, out.extent.offset};
    ++x_extents.at(place).pins;
    x_placed[std::this_thread::get_id()].push_back(out.extent);
    out.pin = std::make_shared<MemPin>(*this, std::vector{place});
  }
  co_return out;
}

void MemBlobStore::check_commit(const meta::Batch& batch) {
  const std::lock_guard lock(x_mutex);
  auto& placed = x_placed[std::this_thread::get_id()];
  OUTCROP_ASSERT(placed == batch.fresh && "small payloads ride with their worker's next commit");
  placed.clear();
}

std::string& MemBlobStore::content(const Extent& extent) {
  return x_extents.at({extent.segment, extent.offset}).bytes;
}

Task<std::unique_ptr<segment::BlobWriter>> MemBlobStore::open_writer(std::uint64_t,
                                                                     segment::Purpose) {
  co_return std::make_unique<MemBlobWriter>(*this);
}

Task<std::vector<Buffer>> MemBlobStore::read(Extent extent,
                                             std::uint64_t offset,
                                             std::uint64_t length,
                                             segment::Purpose) {
  ++x_reads;
  const std::lock_guard lock(x_mutex);
  const auto it = x_extents.find({extent.segment, extent.offset});
  if (it == x_extents.end()) {
    co_return fail(Errc::corrupt, "read of a freed extent");
  }
  const Stored& stored = it->second;
  if (stored.damaged || stored.stamp != extent.stamp || stored.bytes.size() != extent.length ||
      offset > extent.length || length > extent.length - offset) {
    co_return fail(Errc::corrupt, "read outside of the extent, or of another one");
  }
  // In two slices where it can be: callers must take any number.
  const ConstBytes all = as_bytes(stored.bytes).subspan(offset, length);
  std::vector<Buffer> out;
  if (length > 1) {
    out.push_back(Buffer::copy_of(all.first(length / 2)));
  }
  out.push_back(Buffer::copy_of(all.subspan(length > 1 ? length / 2 : 0)));
  co_return out;
}

segment::ReadUnit MemBlobStore::read_unit(const Extent& extent, std::uint64_t offset) {
  const std::uint64_t unit = extent.length <= segment::kSmallMax ? extent.length : kUnit;
  const auto cut = [&](std::uint64_t size) {
    const std::uint64_t begin = offset / size * size;
    return std::pair(begin, std::min(begin + size, extent.length));
  };
  const auto [begin, end] = cut(unit);
  const auto [stripe_begin, stripe_end] = cut(unit * kUnitsPerStripe);
  return {begin, end, stripe_begin, stripe_end};
}

segment::PinPtr MemBlobStore::pin_segment(SegmentId segment) {
  const std::lock_guard lock(x_mutex);
  std::vector<Place> places;
  for (auto it = x_extents.lower_bound({segment, 0});
       it != x_extents.end() && it->first.first == segment; ++it) {
    ++it->second.pins;
    places.push_back(it->first);
  }
  return std::make_shared<MemPin>(*this, std::move(places));
}

segment::PinPtr MemBlobStore::pin(std::span<const Extent> extents) {
  const std::lock_guard lock(x_mutex);
  std::vector<Place> places;
  for (const Extent& e : extents) {
    // One that is gone stays gone: the caller looks again whether it was still referenced.
    if (const auto it = x_extents.find({e.segment, e.offset}); it != x_extents.end()) {
      ++it->second.pins;
      places.push_back(it->first);
    }
  }
  return std::make_shared<MemPin>(*this, std::move(places));
}

void MemBlobStore::unpin(const std::vector<Place>& places) {
  const std::lock_guard lock(x_mutex);
  for (const Place& place : places) {
    OUTCROP_ASSERT(x_extents.at(place).pins > 0);
    --x_extents.at(place).pins;
  }
}

std::size_t MemBlobStore::collect() {
  // Pins first, then references: what is pinned when they are read stays, and a transaction that
  // adds a reference holds a pin until it is visible.
  const std::lock_guard lock(x_mutex);
  std::set<Place> candidates;
  for (const auto& [place, stored] : x_extents) {
    if (stored.pins == 0) {
      candidates.insert(place);
    }
  }
  for (const auto& [key, value] : x_meta.dump()) {
    if (key[0] == static_cast<char>(meta::Table::extent_ref)) {
      const std::string_view rest = std::string_view(key).substr(1);
      candidates.erase({get_be64(rest), get_be64(rest.substr(8))});
    }
  }
  for (const Place& place : candidates) {
    x_extents.erase(place);
  }
  return candidates.size();
}

std::vector<SegmentId> MemBlobStore::old_segments() const {
  const std::lock_guard lock(x_mutex);
  const SegmentId newest = 1 + x_next / kExtentsPerSegment;
  std::vector<SegmentId> out;
  for (const auto& [place, stored] : x_extents) {
    if (place.first != newest && (out.empty() || out.back() != place.first)) {
      out.push_back(place.first);
    }
  }
  return out;
}

void MemBlobStore::next_segment() {
  const std::lock_guard lock(x_mutex);
  x_next = (x_next / kExtentsPerSegment + 1) * kExtentsPerSegment;
}

void MemBlobStore::damage(SegmentId segment, std::size_t n) {
  const std::lock_guard lock(x_mutex);
  for (auto it = x_extents.lower_bound({segment, 0});
       n > 0 && it != x_extents.end() && it->first.first == segment; ++it, --n) {
    it->second.damaged = true;
  }
}

std::size_t MemBlobStore::extents() const {
  const std::lock_guard lock(x_mutex);
  return x_extents.size();
}

std::uint64_t MemBlobStore::bytes() const {
  const std::lock_guard lock(x_mutex);
  std::uint64_t total = 0;
  for (const auto& [place, stored] : x_extents) {
    total += stored.bytes.size();
  }
  return total;
}

}  // namespace outcrop::test
