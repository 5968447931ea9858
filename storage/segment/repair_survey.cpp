// How whole the data is, and what repair can do about it.
#include <algorithm>
#include <bit>

#include "storage/segment/repair.h"

namespace outcrop::segment {

// How many of these shards a drive could take, full ones included.
int Repairer::places(const Layout& layout, ShardMask todo) const {
  int in_place = 0, others = 0;
  for (unsigned i = 0; i < layout.slots.size(); ++i) {
    const drives::Slot slot = layout.slots[i];
    const bool stays = x_context.drives.live(slot) && !x_context.drives.draining(slot);
    in_place += (todo & (1U << i)) != 0 && stays ? 1 : 0;
  }
  if (in_place == std::popcount(todo)) {
    return in_place;
  }
  for (const drives::Slot slot : x_context.drives.placement_slots()) {
    others += std::ranges::find(layout.slots, slot) == layout.slots.end() ? 1 : 0;
  }
  return std::min(std::popcount(todo), in_place + others);
}

// New segments have the parity that is due for the drives that are here. What drains counts as
// gone: whoever drains a drive wants to do without it.
void Repairer::consider(Survey& survey,
                        const Segment& segment,
                        ShardMask gone,
                        ShardMask away) const {
  const int m = segment.record.m;
  const int spare = m - std::popcount(gone | away);
  const auto anew = x_context.drives.write_parity(x_context.drives.placement_slots().size());
  if (segment.closed.load() && !hopeless(segment) && m >= std::popcount(gone) && anew &&
      static_cast<int>(*anew) > spare) {
    survey.stranded.push_back({.segment = segment.record.id,
                               .bytes = segment.record.shard_bytes * segment.record.k,
                               .spare = spare,
                               .lost = away == 0});
  }
}

Survey Repairer::survey() const {
  Survey out;
  out.oldest_verified = UINT64_MAX;
  for (const SegmentPtr& segment : x_catalogue.all()) {
    const LayoutPtr layout = segment->layout();
    const ShardMask gone = missing(*segment, *layout);
    const ShardMask away = leaving(*layout);
    const int spare = static_cast<int>(segment->record.m) - std::popcount(gone);
    ++out.segments;
    out.open += segment->closed.load() ? 0 : 1;
    out.degraded += gone != 0 ? 1 : 0;
    out.moving += gone == 0 && away != 0 ? 1 : 0;
    out.unreadable += spare < 0 ? 1 : 0;
    out.damaged += segment->damaged.load() ? 1 : 0;
    const int placeable = places(*layout, gone | away);
    if (placeable < std::popcount(gone | away)) {
      ++out.blocked;
      consider(out, *segment, gone, away);
    }
    out.bytes_to_write += hopeless(*segment)
                              ? 0
                              : static_cast<std::uint64_t>(placeable) * segment->record.shard_bytes;
    out.oldest_verified = std::min(out.oldest_verified, segment->verified.load());
    for (unsigned i = 0; i < layout->slots.size(); ++i) {
      SlotUse& use = out.slots[layout->slots[i]];
      ++use.shards;
      use.critical += (gone & (1U << i)) == 0 && spare <= 0 ? 1 : 0;
    }
  }
  std::ranges::sort(out.stranded, {},
                    [](const Stranded& s) { return std::pair(s.spare, s.segment); });
  out.leftovers = leftovers().size();
  out.oldest_verified = out.segments == 0 ? 0 : out.oldest_verified;
  return out;
}

}  // namespace outcrop::segment
