#include "auth/identity/async_mutex.h"

namespace outcrop::identity {

Async<AsyncMutex::Held> AsyncMutex::acquire() {
  const auto wait = [this](Resume<void> resume) {
    {
      const std::lock_guard lock(x_mutex);
      if (x_held) {
        x_waiting.push_back(std::move(resume));
        return;
      }
      x_held = true;
    }
    resume(ok());
  };
  std::ignore = co_await suspend<void>(wait);
  co_return Held(*this);
}

void AsyncMutex::release() {
  Resume<void> next;
  {
    const std::lock_guard lock(x_mutex);
    if (x_waiting.empty()) {
      x_held = false;
      return;
    }
    next = std::move(x_waiting.front());
    x_waiting.pop_front();
  }
  next(ok());
}

}  // namespace outcrop::identity
