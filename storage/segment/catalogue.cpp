#include "storage/segment/catalogue.h"

#include "storage/base/log.h"

namespace outcrop::segment {

// decode_segment and the allocator see to it that the geometry is one that the codec has.
Segment::Segment(SegmentRecord r, bool is_open)
    : record(std::move(r)), codec(ec::Codec::make(record.k, record.m).value()), sealed(!is_open) {
  shards.resize(record.slots.size());
}

io::File* Segment::shard(unsigned index, const drives::DriveSet& drives) const {
  return drives.live(record.slots[index]) ? shards[index].get() : nullptr;
}

Result<void> Segment::open_shards(const drives::DriveSet& drives) {
  const std::lock_guard lock(x_open_mutex);
  if (shards_opened()) {
    return ok();
  }
  for (unsigned i = 0; i < shards.size(); ++i) {
    io::Disk* disk = drives.disk(record.slots[i]);
    if (disk == nullptr || !drives.live(record.slots[i])) {
      continue;
    }
    auto file = disk->open(shard_path(record.id, i), io::Access::read_write, io::Cache::direct);
    if (file) {
      shards[i] = std::move(*file);
    } else if (file.error().code() == Errc::no_space) {
      return fail(file.error());  // out of descriptors: the shard is there, come back later
    } else {
      log::warn("a shard file is missing; its data is rebuilt from the others on read",
                {{"drive", disk->name()},
                 {"segment", record.id},
                 {"shard", i},
                 {"error", file.error().describe()}});
    }
  }
  set_opened();
  return ok();
}

void Segment::close_shards() {
  for (auto& shard : shards) {
    shard.reset();
  }
}

SegmentPins::SegmentPins(std::vector<SegmentPtr> segments) : x_segments(std::move(segments)) {
  for (const SegmentPtr& s : x_segments) {
    s->pins.fetch_add(1);
    s->pin_epoch.fetch_add(1);
  }
}

SegmentPins::~SegmentPins() {
  for (const SegmentPtr& s : x_segments) {
    s->pins.fetch_sub(1);
  }
}

SegmentPtr Catalogue::find(SegmentId id) const {
  const std::shared_lock lock(x_mutex);
  const auto at = x_segments.find(id);
  return at == x_segments.end() ? nullptr : at->second;
}

void Catalogue::add(SegmentPtr segment) {
  const std::lock_guard lock(x_mutex);
  x_segments[segment->record.id] = std::move(segment);
}

void Catalogue::erase(SegmentId id) {
  const std::lock_guard lock(x_mutex);
  x_segments.erase(id);
}

std::vector<SegmentPtr> Catalogue::all() const {
  const std::shared_lock lock(x_mutex);
  std::vector<SegmentPtr> out;
  out.reserve(x_segments.size());
  for (const auto& [id, segment] : x_segments) {
    out.push_back(segment);
  }
  return out;
}

std::size_t Catalogue::size() const {
  const std::shared_lock lock(x_mutex);
  return x_segments.size();
}

}  // namespace outcrop::segment
