#include "storage/segment/settle.h"

#include <algorithm>

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
