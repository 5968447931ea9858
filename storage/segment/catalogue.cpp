#include "storage/segment/catalogue.h"

#include <algorithm>

#include "storage/base/log.h"

namespace outcrop::segment {

// decode_segment and the allocator see to it that the geometry is one that the codec has.
Segment::Segment(SegmentRecord r, bool is_open)
    : record(std::move(r)),
      codec(ec::Codec::make(record.k, record.m).value()),
      sealed(!is_open),
      closed(record.closed),
      verified(record.verified) {
  Layout first{.slots = record.slots, .files = {}, .holes = record.holes};
  first.files.resize(record.slots.size());
  x_layout = std::make_shared<const Layout>(std::move(first));
}

LayoutPtr Segment::layout() const {
  const std::lock_guard lock(x_layout_mutex);
  return x_layout;
}

void Segment::update_layout(const std::function<void(Layout&)>& change) {
  LayoutPtr before;  // with the last of its files, may close them: not under the lock
  const std::lock_guard lock(x_layout_mutex);
  auto next = std::make_shared<Layout>(*x_layout);
  change(*next);
  before = std::exchange(x_layout, std::move(next));
}

SegmentRecord Segment::current() const {
  const LayoutPtr now = layout();
  SegmentRecord out = record;
  out.slots = now->slots;
  out.holes = now->holes;
  out.closed = closed.load();
  out.verified = verified.load();
  return out;
}

Result<void> Segment::open_shards(const drives::DriveSet& drives) {
  const std::lock_guard lock(x_open_mutex);
  if (shards_opened()) {
    return ok();
  }
  const LayoutPtr now = layout();
  std::vector<std::shared_ptr<io::File>> opened(now->slots.size());
  for (unsigned i = 0; i < now->slots.size(); ++i) {
    io::Disk* disk = drives.disk(now->slots[i]);
    // Also of one that is about to be live: nobody gets the file before.
    if (now->files[i] || disk == nullptr || disk->health()->given_up()) {
      continue;
    }
    auto file = disk->open(shard_path(record.id, i), io::Access::read_write, io::Cache::direct);
    if (file) {
      opened[i] = std::move(*file);
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
  update_layout([&](Layout& layout) {
    for (unsigned i = 0; i < opened.size(); ++i) {
      if (layout.slots[i] == now->slots[i] && !layout.files[i]) {
        layout.files[i] = opened[i];
      }
    }
  });
  x_opened.store(true, std::memory_order_release);
  return ok();
}

void Segment::expect_shard(unsigned index) {
  const std::lock_guard lock(x_open_mutex);
  update_layout([index](Layout& layout) { layout.files[index] = nullptr; });
  x_opened.store(false, std::memory_order_release);
}

void Segment::close_shards() {
  update_layout([](Layout& layout) { std::ranges::fill(layout.files, nullptr); });
}

void Segment::adopt(std::vector<std::shared_ptr<io::File>> files) {
  update_layout([&files](Layout& layout) { layout.files = std::move(files); });
  x_opened.store(true, std::memory_order_release);
}

SegmentPins::SegmentPins(std::vector<SegmentPtr> segments, Role role)
    : x_segments(std::move(segments)), x_role(role) {
  for (const SegmentPtr& s : x_segments) {
    s->pins.fetch_add(1);
    s->pin_epoch.fetch_add(1);
    s->writers.fetch_add(x_role == Role::writer ? 1 : 0);
  }
}

SegmentPins::~SegmentPins() {
  for (const SegmentPtr& s : x_segments) {
    s->writers.fetch_sub(x_role == Role::writer ? 1 : 0);
    s->pins.fetch_sub(1);
  }
}

PinPtr pin_for_writing(SegmentPtr segment) {
  return std::make_shared<SegmentPins>(std::vector<SegmentPtr>{std::move(segment)},
                                       SegmentPins::Role::writer);
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
