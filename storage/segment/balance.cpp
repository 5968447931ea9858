#include "storage/segment/balance.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "storage/segment/allocator.h"
#include "storage/segment/format.h"

namespace outcrop::segment {
namespace {

// How much fuller a drive is than another: from where on shards are moved, and down to where.
constexpr double kBeginApart = 0.10, kEndApart = 0.03;
// Drives that are emptier have room for everybody: what is moved away from them may be deleted
// before anybody misses the room.
constexpr double kLeastFull = 0.5;
// What a drive must have left to be written to: this part of it, and what a lane takes early.
constexpr std::uint64_t kBeginPart = 20, kEndPart = 32;
constexpr std::uint64_t kEndShards = kKeptShards + 1, kBeginShards = kEndShards + 1;
// What is written anew takes its room twice until its garbage is freed. Less than this part must
// stay for clients.
constexpr std::uint64_t kCrowdedPart = 10;
// Room that is saved by writing anew, in hundredths of what it takes now.
constexpr std::uint64_t kWorthwhile = 5;

/// Moves shards from the fullest drive that has one to move to the emptiest that can take it.
class Leveller {
 public:
  Leveller(const Balance& balance, double apart) : x_drives(balance.drives), x_apart(apart) {
    for (const BalanceSegment& segment : balance.segments) {
      for (unsigned shard = 0; shard < segment.slots.size(); ++shard) {
        x_shards[segment.slots[shard]].push_back({&segment, shard});
      }
    }
  }

  /// Only what lies on these, of what is not `kept`.
  std::vector<ShardMove> run(const std::set<drives::Slot>& sources,
                             const std::set<SegmentId>& kept) {
    std::vector<ShardMove> out;
    while (const auto move = next(sources, kept)) {
      out.push_back(*move);
      x_apart = kEndApart;
    }
    return out;
  }

 private:
  struct Shard {
    const BalanceSegment* segment = nullptr;
    unsigned shard = 0;
  };

  // A drive that has nothing for another one has nothing for it later: what has moved stays.
  std::optional<ShardMove> next(const std::set<drives::Slot>& sources,
                                const std::set<SegmentId>& kept) {
    std::ranges::sort(x_drives, {},
                      [](const DriveFill& d) { return std::pair(d.share(), d.slot); });
    for (std::size_t from = x_drives.size(); from-- > 1;) {
      if (!sources.contains(x_drives[from].slot) || x_drives[from].share() < kLeastFull) {
        continue;
      }
      for (std::size_t to = 0; to < from; ++to) {
        if (x_drives[from].share() - x_drives[to].share() < x_apart) {
          break;
        }
        if (const auto found = take(x_drives[from], x_drives[to], kept)) {
          return found;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<ShardMove> take(DriveFill& from, DriveFill& to, const std::set<SegmentId>& kept) {
    std::vector<Shard>& shards = x_shards[from.slot];
    std::size_t& at = x_looked[{from.slot, to.slot}];
    for (; at < shards.size(); ++at) {
      const auto [segment, shard] = shards[at];
      if (x_moved.contains(segment->id) || kept.contains(segment->id) ||
          std::ranges::find(segment->slots, to.slot) != segment->slots.end()) {
        continue;
      }
      DriveFill less = from, more = to;
      less.used -= std::min(less.used, segment->shard_bytes);
      less.room += segment->shard_bytes;
      if (more.room <= kBeginShards * segment->shard_bytes) {
        continue;
      }
      more.used += segment->shard_bytes;
      more.room -= segment->shard_bytes;
      if (less.share() < more.share()) {
        return std::nullopt;
      }
      x_moved.insert(segment->id);
      from = less;
      to = more;
      return ShardMove{segment->id, shard, to.slot, segment->shard_bytes};
    }
    return std::nullopt;
  }

  std::vector<DriveFill> x_drives;
  double x_apart;
  std::map<drives::Slot, std::vector<Shard>> x_shards;
  std::map<std::pair<drives::Slot, drives::Slot>, std::size_t> x_looked;
  std::set<SegmentId> x_moved;  ///< one shard of each is enough for one plan
};

bool has_room(const DriveFill& drive, std::uint64_t shard_bytes, bool runs) {
  const std::uint64_t share = (drive.used + drive.room) / (runs ? kEndPart : kBeginPart);
  return drive.room > std::max(share, (runs ? kEndShards : kBeginShards) * shard_bytes);
}

bool is_crowded(const DriveFill& drive, std::uint64_t shard_bytes) {
  const std::uint64_t least =
      std::max((drive.used + drive.room) / kCrowdedPart, kBeginShards * shard_bytes);
  return drive.garbage > 0 && drive.room - std::min(drive.room, drive.garbage) <= least;
}

// Whether as wide as `k` it would take that much less room, or have the parity that is due.
bool worth_writing(const BalanceSegment& segment, unsigned k, unsigned parity) {
  if (segment.small || segment.m > parity || k < segment.k) {
    return false;
  }
  if (segment.m < parity) {
    return true;
  }
  const std::uint64_t now = std::uint64_t{segment.k + segment.m} * k;
  const std::uint64_t then = std::uint64_t{k + parity} * segment.k;
  return then * 100 <= now * (100 - kWorthwhile);
}

std::vector<Narrow> find_narrow(const Balance& balance, std::size_t roomy) {
  std::vector<Narrow> out;
  const std::size_t width = std::min<std::size_t>(roomy, kMaxShards);
  if (width <= balance.parity) {
    return out;
  }
  const auto k = static_cast<unsigned>(width - balance.parity);
  for (const BalanceSegment& segment : balance.segments) {
    if (worth_writing(segment, k, balance.parity)) {
      out.push_back({segment.id, segment.shard_bytes * segment.k});
    }
  }
  return out;
}

}  // namespace

std::uint64_t BalancePlan::bytes() const {
  std::uint64_t out = 0;
  for (const Narrow& n : narrow) {
    out += n.bytes;
  }
  for (const ShardMove& move : moves) {
    out += move.bytes;
  }
  return out;
}

// A drive that is full is not written to until shards are moved away from it, whatever they are of.
// Once all have room, what is to be written anew is not worth moving.
BalancePlan plan_balance(const Balance& balance, bool runs) {
  BalancePlan out;
  std::set<drives::Slot> all, full;
  for (const DriveFill& drive : balance.drives) {
    all.insert(drive.slot);
    if (has_room(drive, balance.shard_bytes, runs)) {
      out.roomy.push_back(drive.slot);
    }
    out.crowded |= is_crowded(drive, balance.shard_bytes);
    if (!has_room(drive, balance.shard_bytes, false)) {
      full.insert(drive.slot);
    }
  }
  out.starved = out.roomy.size() <= balance.parity;
  out.narrow = find_narrow(balance, out.roomy.size());
  std::set<SegmentId> kept;
  out.moves = Leveller(balance, kEndApart).run(full, kept);
  if (!out.moves.empty()) {
    return out;
  }
  for (const Narrow& narrow : out.narrow) {
    kept.insert(narrow.segment);
  }
  // Writing anew changes how full drives are: what is to move is known after it.
  if (out.narrow.empty()) {
    out.moves = Leveller(balance, runs ? kEndApart : kBeginApart).run(all, kept);
  }
  return out;
}

}  // namespace outcrop::segment
