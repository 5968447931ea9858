#include "server/byte_budget.h"

#include <algorithm>

namespace outcrop::server {

void ByteBudget::Lease::release() {
  if (x_owner != nullptr) {
    std::exchange(x_owner, nullptr)->give_back(std::exchange(x_bytes, 0));
  }
}

bool ByteBudget::try_take(std::uint64_t bytes, Lease& out) {
  bytes = std::min(bytes, x_capacity);
  {
    const std::lock_guard lock(x_mutex);
    if (!x_waiters.empty() || bytes > x_free) {
      return false;
    }
    x_free -= bytes;
  }
  out = Lease(*this, bytes);
  return true;
}

Task<ByteBudget::Lease> ByteBudget::take(std::uint64_t bytes) {
  bytes = std::min(bytes, x_capacity);
  Lease lease;
  if (try_take(bytes, lease)) {
    co_return lease;
  }
  CO_TRYV(co_await suspend<void>([this, bytes](Resume<void> resume) {
    {
      const std::lock_guard lock(x_mutex);
      // What was short a moment ago may be free by now, and then nobody would wake this waiter.
      if (!x_waiters.empty() || bytes > x_free) {
        x_waiters.push_back({bytes, std::move(resume)});
        return;
      }
      x_free -= bytes;
    }
    resume(ok());
  }));
  co_return Lease(*this, bytes);
}

void ByteBudget::give_back(std::uint64_t bytes) {
  std::deque<Waiter> ready;
  {
    const std::lock_guard lock(x_mutex);
    x_free += bytes;
    while (!x_waiters.empty() && x_waiters.front().bytes <= x_free) {
      x_free -= x_waiters.front().bytes;
      ready.push_back(std::move(x_waiters.front()));
      x_waiters.pop_front();
    }
  }
  for (Waiter& w : ready) {
    w.resume(ok());
  }
}

std::uint64_t ByteBudget::in_use() const {
  const std::lock_guard lock(x_mutex);
  return x_capacity - x_free;
}

}  // namespace outcrop::server
