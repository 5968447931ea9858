#include "server/byte_budget.h"

#include <algorithm>

namespace outcrop::server {

void ByteBudget::Lease::release() {
  if (x_owner != nullptr) {
    std::exchange(x_owner, nullptr)->give_back(x_line, x_bytes);
  }
}

// The line that has `bytes` to give without anybody being passed over. The caller holds the mutex.
std::optional<std::size_t> ByteBudget::take_now(std::uint64_t bytes, Part part) {
  const std::size_t last = part == Part::any && bytes <= kSmall ? kSmallOnly : kLarge;
  for (std::size_t line = kLarge; line <= last; ++line) {
    Line& from = x_lines[line];
    if (from.waiters.empty() && bytes <= from.free) {
      from.free -= bytes;
      return line;
    }
  }
  return std::nullopt;
}

bool ByteBudget::try_take(std::uint64_t bytes, Lease& out, Part part) {
  bytes = std::min(bytes, x_largest);
  std::optional<std::size_t> line;
  {
    const std::lock_guard lock(x_mutex);
    line = take_now(bytes, part);
  }
  if (line) {
    out = Lease(*this, *line, bytes);
  }
  return line.has_value();
}

Task<ByteBudget::Lease> ByteBudget::take(std::uint64_t bytes, Part part) {
  bytes = std::min(bytes, x_largest);
  Lease lease;
  if (try_take(bytes, lease, part)) {
    co_return lease;
  }
  // A small transfer that finds even its own part used up waits for that.
  const bool small = bytes <= std::min(kSmall, x_capacity / kSmallShareDivisor);
  std::size_t line = part == Part::any && small ? kSmallOnly : kLarge;
  CO_TRYV(co_await suspend<void>([this, bytes, part, &line](Resume<void> resume) {
    {
      const std::lock_guard lock(x_mutex);
      // What was short a moment ago may be free by now, and then nobody would wake this waiter.
      const std::optional<std::size_t> now = take_now(bytes, part);
      if (!now) {
        x_lines[line].waiters.push_back({bytes, std::move(resume)});
        return;
      }
      line = *now;
    }
    resume(ok());
  }));
  co_return Lease(*this, line, bytes);
}

void ByteBudget::give_back(std::size_t line, std::uint64_t bytes) {
  std::deque<Waiter> ready;
  {
    const std::lock_guard lock(x_mutex);
    Line& to = x_lines[line];
    to.free += bytes;
    while (!to.waiters.empty() && to.waiters.front().bytes <= to.free) {
      to.free -= to.waiters.front().bytes;
      ready.push_back(std::move(to.waiters.front()));
      to.waiters.pop_front();
    }
  }
  for (Waiter& w : ready) {
    w.resume(ok());
  }
}

std::uint64_t ByteBudget::in_use() const {
  const std::lock_guard lock(x_mutex);
  return x_capacity - x_lines[kLarge].free - x_lines[kSmallOnly].free;
}

bool ByteBudget::contended() const {
  const std::lock_guard lock(x_mutex);
  return !x_lines[kLarge].waiters.empty();
}

}  // namespace outcrop::server
