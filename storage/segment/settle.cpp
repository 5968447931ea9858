#include "storage/segment/settle.h"

#include <algorithm>

#include "storage/base/clock.h"

namespace outcrop::segment {

void DamageNotes::add(const Note& note) {
  const std::lock_guard lock(x_mutex);
  const bool known = std::ranges::any_of(x_notes, [&note](const Note& n) {
    return n.segment == note.segment && n.from <= note.from && note.to <= n.to;
  });
  if (!known && x_notes.size() < kMax) {
    x_notes.push_back(note);
  }
}

std::vector<DamageNotes::Note> DamageNotes::take() {
  const std::lock_guard lock(x_mutex);
  return std::exchange(x_notes, {});
}

bool Context::late(drives::Slot slot) const {
  const std::int64_t now = SystemClock().steady_ns();
  const io::Disk* const disk = drives.disk(slot);
  if (disk == nullptr || !disk->health()->late(now)) {
    return false;
  }
  const auto also = std::ranges::count_if(
      drives.live_slots(), [&](drives::Slot s) { return drives.disk(s)->health()->late(now); });
  return static_cast<unsigned>(also) <= drives.parity();
}

Task<> settle(Context& context,
              std::span<const io::IoOp> ops,
              std::span<const drives::Slot> slots,
              unsigned least) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (ops[i].result) {
      continue;
    }
    const Error why = ops[i].result.error();
    if (why.code() == Errc::no_space) {
      co_return fail(why);  // a full drive is not a failed one
    }
    const drives::Slot slot = slots[i];
    CO_TRYV(co_await context.pool.run(
        [&context, slot, &why] { return context.drives.eject(slot, why); }));
  }
  // Another worker may have ejected a drive meanwhile: what it took does not count either.
  unsigned good = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    good += ops[i].result && context.drives.live(slots[i]) ? 1 : 0;
  }
  if (good < least) {
    co_return fail(Errc::io_error, "too few drives took the data");
  }
  co_return ok();
}

}  // namespace outcrop::segment
