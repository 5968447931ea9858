#include "storage/segment/lane.h"

#include <algorithm>

namespace outcrop::segment {

Lane::~Lane() { OUTCROP_ASSERT(!x_preparing); }

// A segment that lost a drive, or is to leave one, takes no more data: the next one has full parity
// over what is left.
bool Lane::usable(const SegmentPtr& segment) const {
  const bool fits = segment && !segment->sealed.load() &&
                    (x_purpose != Purpose::rebalance || x_allocator.aimed(segment->record));
  return fits && std::ranges::all_of(segment->record.slots, [this](drives::Slot s) {
           return x_context.drives.live(s) && !x_context.drives.draining(s);
         });
}

void Lane::leave(const std::function<bool(const SegmentPtr&)>& unfit) {
  for (SegmentPtr* open : {&x_current, &x_next}) {
    if (*open && unfit(*open)) {
      (*open)->sealed.store(true);
      open->reset();
    }
  }
}

void Lane::leave_unusable() {
  leave([this](const SegmentPtr& open) { return !usable(open); });
}

void Lane::leave_narrow(std::size_t drives) {
  leave([drives](const SegmentPtr& open) { return open->record.slots.size() < drives; });
}

Task<> Lane::prepare() {
  x_preparing = true;
  auto made = co_await x_allocator.create(x_small, x_purpose);
  x_preparing = false;
  if (made) {
    x_next = std::move(*made);
    x_prepared = ok();
  } else {
    x_prepared = fail(made.error());
  }
  for (Resume<void>& waiter : std::exchange(x_waiters, {})) {
    waiter(ok());
  }
  co_return ok();
}

Task<> Lane::next_segment() {
  if (x_current) {
    x_current->sealed.store(true);
    x_current.reset();
  }
  if (x_preparing) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiters.push_back(std::move(r)); }));
  } else if (!x_next) {
    CO_TRYV(co_await prepare());
  }
  if (x_next) {
    if (!x_current) {
      x_current = std::exchange(x_next, nullptr);
      x_used = 0;
    }
    co_return ok();
  }
  co_return x_current ? ok() : x_prepared;
}

void Lane::prefetch() {
  if (x_preparing || x_next || x_used < x_context.shard_bytes / 2) {
    return;
  }
  x_preparing = true;
  asio::co_spawn(x_context.workers[worker_index()]->get_executor(), prepare(),
                 [](std::exception_ptr thrown, Result<void>) {
                   if (thrown) {
                     std::rethrow_exception(thrown);
                   }
                 });
}

Task<> Lane::ensure(std::uint64_t bytes) {
  OUTCROP_ASSERT(bytes <= x_context.shard_bytes);
  while (!usable(x_current) || x_used + bytes > x_context.shard_bytes) {
    CO_TRYV(co_await next_segment());
  }
  co_return ok();
}

Room Lane::extend(std::uint64_t bytes) {
  const Room room{x_current, x_used, bytes};
  x_used += bytes;
  OUTCROP_ASSERT(x_used <= x_context.shard_bytes);
  prefetch();
  return room;
}

Task<Room> Lane::reserve(std::uint64_t least, std::uint64_t most) {
  CO_TRYV(co_await ensure(least));
  co_return extend(std::clamp(x_context.shard_bytes - x_used, least, most));
}

void Lane::give_back(const Room& room, std::uint64_t used) {
  if (room.segment == x_current && room.offset + room.bytes == x_used) {
    x_used = room.offset + used;
  }
}

Task<> Lane::close() {
  while (x_preparing) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiters.push_back(std::move(r)); }));
  }
  for (SegmentPtr* open : {&x_current, &x_next}) {
    if (*open) {
      (*open)->sealed.store(true);
      open->reset();
    }
  }
  co_return ok();
}

}  // namespace outcrop::segment
