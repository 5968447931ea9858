// Reads the shard files of one closed segment side by side, finds every stripe or record that is
// whole, and writes what is missing or damaged of it: the one piece of code behind rebuild, drain,
// scrub and read repair. Knows no references: what verifies is kept.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "storage/segment/catalogue.h"
#include "storage/segment/context.h"
#include "storage/segment/pace.h"

namespace outcrop::segment {

/// A stripe, or a small record, of which enough verified.
struct Unit {
  std::uint64_t offset = 0;  ///< of the header, in each shard file
  std::uint64_t stamp = 0;
  std::uint32_t length = 0;  ///< payload bytes of each chunk, or of the record
  bool operator==(const Unit&) const = default;
};

struct WalkShard {
  io::File* source = nullptr;  ///< what is there; null: nothing
  io::File* target = nullptr;  ///< a new file that gets all units; null: repairs go to `source`
  drives::Slot slot = 0;       ///< the drive of what is written to
};

struct WalkResult {
  std::vector<Unit> units;     ///< by offset
  std::uint64_t broken = 0;    ///< places with a verified chunk, and too few of them
  std::uint64_t repaired = 0;  ///< chunks and records written to a `source`
  std::map<unsigned, std::vector<Unit>> rewritten;  ///< what of it, by shard
  ShardMask lacking = 0;                            ///< sources that did not have all of the units
  ShardMask unreadable = 0;  ///< sources that lack units still, in sectors that cannot be read
};

/// One use, on one worker. The files stay open and nobody else writes to them meanwhile.
class ShardWalk {
 public:
  /// `[from, to)` of each shard file, as far as they reach; stripes that begin inside are done.
  ShardWalk(Context& context,
            const Segment& segment,
            std::vector<WalkShard> shards,
            Pace& pace,
            std::uint64_t from,
            std::uint64_t to);

  /// What it wrote is not synced yet. io_error: a drive failed a write and was ejected; no_space;
  /// cancelled, from the pace.
  Task<WalkResult> run();
  /// Reads the units back from one file, the shard's new one, and checks each. corrupt, io_error.
  Task<> read_back(unsigned shard, io::File& file, const std::vector<Unit>& units);

 private:
  struct Image {
    Buffer bytes;
    std::vector<bool> bad;  ///< by 4 KiB block that cannot be read; empty: all could be
    std::vector<std::pair<std::uint64_t, std::uint64_t>> dirty;  ///< ranges in the file, 4 KiB
  };
  /// What the shards that verify at one place agree on.
  struct Found {
    Unit unit;
    ShardMask good = 0;
  };

  ConstBytes at(unsigned shard, std::uint64_t offset) const;
  ChunkIdentity identity(unsigned shard, const Unit& unit) const;
  std::optional<Found> find(std::uint64_t offset) const;
  bool empty_block(std::uint64_t offset) const;
  std::uint64_t step_striped(std::uint64_t offset);
  std::uint64_t step_small(std::uint64_t offset);
  Result<void> restore_stripe(const Found& found);
  void count_rewritten(unsigned shard, const Unit& unit);
  void mark_dirty(unsigned shard, std::uint64_t from, std::uint64_t to);
  ShardMask wanted(const Found& found);
  Task<> cover(std::uint64_t offset);
  Task<> load(std::uint64_t offset);
  Async<> load_by_blocks(unsigned shard);
  bool readable(unsigned shard, std::uint64_t from, std::uint64_t to) const;
  Task<> flush();

  Context& x_context;
  const Segment& x_segment;
  const std::vector<WalkShard> x_shards;
  Pace& x_pace;
  const std::uint64_t x_from, x_end;
  const std::uint64_t x_reach;  ///< the longest unit
  std::vector<Image> x_images;
  std::uint64_t x_begin = 0, x_loaded = 0;  ///< the window: [x_begin, x_loaded)
  Result<void> x_failed;
  WalkResult x_result;
};

}  // namespace outcrop::segment
