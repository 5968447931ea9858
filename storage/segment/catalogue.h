// The segments this process knows: geometry, shard files, pins and life cycle, by id. Shared by all
// workers.
#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <span>
#include <unordered_map>

#include "storage/base/async.h"
#include "storage/drives/drive_set.h"
#include "storage/ec/codec.h"
#include "storage/io/disk.h"
#include "storage/segment/blob_store.h"
#include "storage/segment/format.h"

namespace outcrop::segment {

/// open (a worker appends) -> sealed -> dying (no new pins; no reference is left) -> gone.
/// Segments of earlier runs start sealed: a tail is never appended to after a restart.
class Segment {
 public:
  Segment(SegmentRecord r, bool is_open);
  const SegmentRecord record;
  const ec::Codec codec;
  std::atomic<bool> sealed;
  std::atomic<bool> dying{false};
  std::atomic<std::uint32_t> pins{0};
  std::atomic<std::uint64_t> pin_epoch{0};  ///< counts pins ever taken: lets GC see one in between

  /// The open shard file, or null if its drive is not live or the file was not opened yet.
  io::File* shard(unsigned index, const drives::DriveSet& drives) const;
  /// Opens the shards of live drives that are not open yet. Blocking.
  Result<void> open_shards(const drives::DriveSet& drives);
  bool shards_opened() const { return x_opened.load(std::memory_order_acquire); }
  void close_shards();

  /// Filled by open_shards or by the creator, before the segment is shared.
  std::vector<std::unique_ptr<io::File>> shards;
  void set_opened() { x_opened.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> x_opened{false};
  std::mutex x_open_mutex;
};
using SegmentPtr = std::shared_ptr<Segment>;

/// Counts as one pin of each segment while it lives.
class SegmentPins final : public Pin {
 public:
  explicit SegmentPins(std::vector<SegmentPtr> segments);
  ~SegmentPins() override;
  SegmentPins(const SegmentPins&) = delete;

 private:
  std::vector<SegmentPtr> x_segments;
};

class Catalogue {
 public:
  SegmentPtr find(SegmentId id) const;
  void add(SegmentPtr segment);
  void erase(SegmentId id);
  std::vector<SegmentPtr> all() const;
  std::size_t size() const;

 private:
  mutable std::shared_mutex x_mutex;
  std::unordered_map<SegmentId, SegmentPtr> x_segments;
};

}  // namespace outcrop::segment
