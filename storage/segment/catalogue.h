// The segments this process knows: geometry, shard files, pins and life cycle, by id. Shared by all
// workers.
#pragma once
#include <atomic>
#include <functional>
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

/// Where the shards of a segment are at one moment. Immutable: who reads keeps it meanwhile.
struct Layout {
  std::vector<drives::Slot> slots;               ///< by shard
  std::vector<std::shared_ptr<io::File>> files;  ///< by shard; null: not open, or not there
  ShardMask holes = 0;                           ///< as in SegmentRecord

  /// Null if its drive is not live, or the file is not open.
  io::File* file(unsigned shard, const drives::DriveSet& drives) const {
    return drives.live(slots[shard]) ? files[shard].get() : nullptr;
  }
};
using LayoutPtr = std::shared_ptr<const Layout>;

/// open (a worker appends) -> sealed -> closed (no writer has data on its way, and that is on
/// record) -> dying (no new pins; no reference is left) -> gone. Segments of earlier runs start
/// sealed: a tail is never appended to after a restart.
class Segment {
 public:
  Segment(SegmentRecord r, bool is_open);
  const SegmentRecord record;  ///< geometry, and where it was when it was loaded or made
  const ec::Codec codec;
  std::atomic<bool> sealed;
  std::atomic<bool> closed;
  std::atomic<bool> dying{false};
  std::atomic<std::uint32_t> pins{0};       ///< of readers and writers
  std::atomic<std::uint32_t> writers{0};    ///< pins of those who may still make references
  std::atomic<std::uint64_t> pin_epoch{0};  ///< counts pins ever taken: lets GC see one in between
  std::atomic<std::uint64_t> verified;      ///< as in SegmentRecord
  /// Repair found data that the drives of this epoch cannot give.
  std::atomic<bool> damaged{false};
  std::atomic<std::uint64_t> damaged_epoch{0};
  std::atomic<std::uint64_t> damaged_at{0};  ///< when it was last seen, Unix seconds
  /// Shards on live drives whose files were not there at the start; once they were opened, the
  /// layout knows.
  std::atomic<ShardMask> absent{0};
  /// Shards with holes that their files cannot take: they get new ones. Under the claim.
  std::atomic<ShardMask> unreadable{0};

  LayoutPtr layout() const;
  /// The open shard file, or null if its drive is not live or the file was not opened yet. Stays
  /// valid for writers only: a segment that has one is never moved.
  io::File* shard(unsigned index, const drives::DriveSet& drives) const {
    return layout()->file(index, drives);
  }
  /// The catalogue record as of now.
  SegmentRecord current() const;
  /// Opens the shards that are not open yet, of drives that are here. Blocking.
  Result<void> open_shards(const drives::DriveSet& drives);
  /// The drive of a shard is about to be taken back: the file is opened anew.
  void expect_shard(unsigned index);
  bool shards_opened() const { return x_opened.load(std::memory_order_acquire); }
  void close_shards();
  /// The files of a segment that was just made.
  void adopt(std::vector<std::shared_ptr<io::File>> files);
  /// The only way to change it: others may at the same time. `change` must not block.
  void update_layout(const std::function<void(Layout&)>& change);

  /// For whoever changes the catalogue record, or frees the segment: one at a time.
  bool try_claim() { return !x_claimed.exchange(true); }
  void release_claim() { x_claimed.store(false); }

 private:
  std::atomic<bool> x_opened{false}, x_claimed{false};
  std::mutex x_open_mutex;
  mutable std::mutex x_layout_mutex;
  LayoutPtr x_layout;
};
using SegmentPtr = std::shared_ptr<Segment>;

/// The claim of whoever changes the catalogue record, if nobody else has it; held while it lives.
class SegmentClaim {
 public:
  explicit SegmentClaim(Segment& segment) : x_segment(segment), x_mine(segment.try_claim()) {}
  ~SegmentClaim() {
    if (x_mine) {
      x_segment.release_claim();
    }
  }
  SegmentClaim(const SegmentClaim&) = delete;
  explicit operator bool() const { return x_mine; }

 private:
  Segment& x_segment;
  const bool x_mine;
};

/// Counts as one pin of each segment while it lives.
class SegmentPins final : public Pin {
 public:
  enum class Role : std::uint8_t { reader, writer };
  explicit SegmentPins(std::vector<SegmentPtr> segments, Role role = Role::reader);
  ~SegmentPins() override;
  SegmentPins(const SegmentPins&) = delete;

 private:
  std::vector<SegmentPtr> x_segments;
  Role x_role;
};
/// The pin of a writer, who may yet make references to what is in the segment.
PinPtr pin_for_writing(SegmentPtr segment);

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
