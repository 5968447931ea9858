// What would let drives be used better that came later, or that are emptier than others: which
// segments are narrower than they could be, and which shards lie on drives that are fuller than
// others. docs/adr/0004-drives-and-repair.md. Pure: no I/O.
#pragma once
#include <cstdint>
#include <vector>

#include "storage/base/ids.h"
#include "storage/drives/drive_set.h"

namespace outcrop::segment {

/// A drive that takes new data. In bytes of shard files.
struct DriveFill {
  drives::Slot slot = 0;
  std::uint64_t used = 0;  ///< by shards that somebody needs
  std::uint64_t room = 0;  ///< for more of them, what is kept for upkeep included
  std::uint64_t garbage =
      0;  ///< of the room: by shards that nobody needs and that are not freed yet

  double share() const {
    return used + room == 0 ? 1 : static_cast<double>(used) / static_cast<double>(used + room);
  }
};

/// One that is closed, has all its shards, and is not damaged.
struct BalanceSegment {
  SegmentId id = 0;
  unsigned k = 1, m = 0;
  bool small = false;
  std::uint64_t shard_bytes = 0;
  std::vector<drives::Slot> slots;  ///< by shard
};

struct Balance {
  unsigned parity = 0;            ///< of what is written now
  std::uint64_t shard_bytes = 0;  ///< of what is written now
  std::vector<DriveFill> drives;
  std::vector<BalanceSegment> segments;  ///< in order of ids
  std::size_t garbage = 0;               ///< segments that nobody needs and that are not freed yet
};

struct ShardMove {
  SegmentId segment = 0;
  unsigned shard = 0;
  drives::Slot to = 0;
  std::uint64_t bytes = 0;
};

/// To be written anew, wider.
struct Narrow {
  SegmentId segment = 0;
  std::uint64_t bytes = 0;  ///< of payload that it has room for: there is no more to write
};

struct BalancePlan {
  std::vector<drives::Slot> roomy;  ///< drives over which what is narrow is written anew
  bool starved = false;  ///< so few drives have room that clients cannot write, or soon cannot
  /// Clients would soon have no room, and garbage has some: it is freed before more is written.
  bool crowded = false;
  std::vector<Narrow> narrow;    ///< after `moves`; none while the store is starved
  std::vector<ShardMove> moves;  ///< first, and each after the one before
  bool empty() const { return narrow.empty() && moves.empty(); }
  std::uint64_t bytes() const;
};

/// Each move makes the fuller drive emptier and leaves it at least as full as the other, and each
/// segment that is written anew becomes wider: so it comes to an end, whatever it begins with.
/// A segment is written anew where that saves a twentieth of the room that it takes, or where it
/// has less parity than is due. For less, only shards are moved, which costs a fraction.
/// What `runs` goes on for less than it begins for, so that it does not come and go.
BalancePlan plan_balance(const Balance& balance, bool runs);

}  // namespace outcrop::segment
