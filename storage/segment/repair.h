// Repair by segment: closes segments, and brings shards that are missing, have holes, or are on a
// drive that drains to where they belong. docs/adr/0004-drives-and-repair.md.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/segment/catalogue.h"
#include "storage/segment/context.h"
#include "storage/segment/pace.h"
#include "storage/segment/shard_walk.h"
#include "storage/segment/spare_pool.h"

namespace outcrop::segment {

enum class RepairOutcome : std::uint8_t {
  whole,    ///< nothing is missing and nothing is to move
  blocked,  ///< something is, and no drive can take it
  damaged,  ///< data that metadata refers to verifies on too few shards: nothing was moved
  busy,     ///< somebody else has the segment, or it is not closed yet, or is being freed
};

enum class RepairMode : std::uint8_t {
  rebuild,  ///< reads the segment only if a shard can be brought to its place
  scrub     ///< reads it in any case
};

/// What one drive means for the data.
struct SlotUse {
  std::uint64_t shards = 0;    ///< of segments, that are on it
  std::uint64_t critical = 0;  ///< segments that could not be read without it
};

/// A segment with a shard that is missing or to move and that no drive can take, whose data would
/// have more parity if it were written anew over the drives that are here.
struct Stranded {
  SegmentId segment = 0;
  std::uint64_t bytes = 0;  ///< of payload that it has room for: there is no more to write
  int spare = 0;            ///< drives that may fail, without those that drain; below 0: needs them
  bool lost = false;        ///< its drive may come back; else, one of its drives drains
};

/// The state of all segments at one moment.
struct Survey {
  std::uint64_t segments = 0, open = 0;
  std::uint64_t degraded = 0;    ///< with a shard missing
  std::uint64_t moving = 0;      ///< with all shards, and one on a drive that drains
  std::uint64_t unreadable = 0;  ///< with more shards missing than there is parity
  std::uint64_t damaged = 0;
  std::uint64_t blocked = 0;    ///< degraded or moving, with a shard that no drive can take
  std::uint64_t leftovers = 0;  ///< files that shards moved away from, not removed yet
  /// Of shards that are missing or to move and have a place, of segments that are not damaged.
  std::uint64_t bytes_to_write = 0;
  std::uint64_t oldest_verified = 0;  ///< Unix seconds: all has been read since
  std::map<drives::Slot, SlotUse> slots;
  std::vector<Stranded> stranded;  ///< of the blocked ones; those with the least parity left first
};

/// Runs on one worker, one segment at a time; survey() on any thread.
class Repairer {
 public:
  Repairer(Context& context, Catalogue& catalogue, SparePool& spares)
      : x_context(context), x_catalogue(catalogue), x_spares(spares) {}

  /// Records of all sealed segments without writers that they are closed, and which shards lack
  /// data. Errors of the commit.
  Task<> close_segments(std::uint64_t now_seconds);
  /// Makes returning drives plain live ones, if all that they may lack is on record: if it is not
  /// yet, after another close_segments().
  Task<> settle_returning();
  /// Closed segments with a shard that is missing or to move, those with the least parity left
  /// first; without those that turned out damaged under the drives that are here.
  std::vector<SegmentPtr> worklist() const;
  /// Closed segments whose last full read is `period` or longer ago, the oldest first. What a clock
  /// that was wrong has put into the future is due as well. Of one that is damaged, the last try.
  std::vector<SegmentPtr> due(std::uint64_t now_seconds, std::uint64_t period_seconds) const;
  /// Closed segments with all their shards where they belong, and not damaged.
  std::vector<SegmentPtr> whole() const;
  /// A shard that is to go to another drive, though it is whole where it is.
  struct Move {
    unsigned shard = 0;
    drives::Slot to = 0;
  };
  /// Repairs one, and reads all of it. Errors: cancelled (pace), io_error (a drive left meanwhile),
  /// no_space, and those of the commit; the segment is as it was then, but for repairs in place.
  /// With a `move` only that; busy if the segment is not whole.
  Task<RepairOutcome> repair(SegmentPtr segment,
                             RepairMode mode,
                             Pace& pace,
                             std::uint64_t now_seconds,
                             std::optional<Move> move = std::nullopt);
  /// Rewrites what is damaged in a part of the shard files.
  Task<> repair_range(SegmentPtr segment, std::uint64_t from, std::uint64_t to, Pace& pace);
  /// A file that a shard moved away from stays until remove_leftovers(). If the drive that took
  /// the shard has left since, the old file is the shard again. Errors of the commit.
  Task<> take_back();
  /// Removes the others. Only after a checkpoint that began after repair() returned.
  Task<> remove_leftovers();
  bool has_leftovers() const { return !leftovers().empty(); }
  Survey survey() const;

 private:
  /// A new file for a shard, under a name that no record knows until it is whole.
  struct NewShard {
    unsigned shard = 0;
    drives::Slot slot = 0;
    bool same_slot = false;  ///< replaces a file that is gone: gets its name when it is whole
    std::string path;
    std::shared_ptr<io::File> file;
  };
  /// A file that a shard moved away from.
  struct Leftover {
    drives::Slot slot = 0;
    SegmentId segment = 0;
    unsigned shard = 0;
    bool lacks = false;  ///< it does not have all of the shard
    bool operator==(const Leftover&) const = default;
  };
  /// One segment.
  struct Job {
    SegmentPtr segment;
    LayoutPtr layout;
    std::optional<Move> move;
    ShardMask todo = 0;    ///< missing or leaving, or to move
    ShardMask placed = 0;  ///< of those: has a new file, or its holes are filled where it is
    std::vector<NewShard> fresh;
    WalkResult found;
  };

  ShardMask missing(const Segment& segment, const Layout& layout) const;
  bool hopeless(const Segment& segment) const;
  ShardMask leaving(const Layout& layout) const;
  int places(const Layout& layout, ShardMask todo) const;
  void consider(Survey& survey, const Segment& segment, ShardMask gone, ShardMask away) const;
  Result<bool> place(Job& job);
  Result<std::optional<NewShard>> make_file(const Job& job, unsigned shard);
  Result<NewShard> make_file_on(const Job& job, unsigned shard, drives::Slot slot, bool same_slot);
  Result<void> check_reserve(drives::Slot slot, std::uint64_t bytes) const;
  std::vector<drives::Slot> candidates(const Job& job, unsigned shard) const;
  Task<> fill(Job& job, Pace& pace);
  Task<> read_rewritten(Job& job, ShardWalk& walk);
  Task<> sync(Job& job);
  Task<bool> covers_references(const Segment& segment, const std::vector<Unit>& units);
  Task<> take_names(Job& job);
  Task<> publish(Job& job, std::uint64_t verified);
  Task<> drop(Job& job);
  std::vector<Leftover> leftovers() const;
  bool is_leftover(drives::Slot slot, SegmentId segment, unsigned shard) const;
  void forget(const Leftover& left);
  Task<bool> take_back_one(Leftover left);
  Task<bool> remove_one(Leftover left);

  Context& x_context;
  Catalogue& x_catalogue;
  SparePool& x_spares;
  mutable std::mutex x_mutex;
  std::vector<Leftover> x_leftovers;
};

}  // namespace outcrop::segment
