#include "storage/io/watch.h"

#include <algorithm>

namespace outcrop::io {

void Watch::add(const std::shared_ptr<DiskHealth>& health, unsigned ticks) {
  if (ticks < kLateTicks || health->given_up()) {
    return;
  }
  auto known = std::ranges::find(x_late, health, &Late::health);
  if (known == x_late.end()) {
    x_late.push_back({health});
    known = x_late.end() - 1;
  }
  known->hung = known->hung || ticks >= kHungTicks;
}

void Watch::end(std::int64_t now_ns) {
  for (const Late& late : x_late) {
    late.health->saw_late(now_ns);
    if (late.hung) {
      late.health->saw_hung(now_ns);
    }
  }
}

Watch::Verdict Watch::verdict(const DiskHealth& health, unsigned ticks, bool hedged) const {
  // One tick for what is about to complete, as on a drive that left for another reason; what has
  // not begun has none.
  if (health.given_up() && ticks != 1) {
    return Verdict::given_up;
  }
  if (!hedged || x_late.size() > x_hedge.load(std::memory_order_relaxed)) {
    return Verdict::wait;
  }
  // One that has not begun may wait for those that are late to end: its turn may never come.
  return ticks >= kLateTicks || (ticks == 0 && is_late(health)) ? Verdict::late : Verdict::wait;
}

bool Watch::is_late(const DiskHealth& health) const {
  return std::ranges::any_of(x_late, [&](const Late& l) { return l.health.get() == &health; });
}

}  // namespace outcrop::io
