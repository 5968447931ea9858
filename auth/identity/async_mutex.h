// One coroutine at a time, first come first served, whatever its worker. Any thread.
#pragma once
#include <deque>
#include <mutex>

#include "storage/base/async.h"

namespace outcrop::identity {

class AsyncMutex {
 public:
  /// Held until it is destroyed.
  class Held {
   public:
    explicit Held(AsyncMutex& owner) : x_owner(&owner) {}
    Held(Held&& other) noexcept : x_owner(std::exchange(other.x_owner, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (x_owner != nullptr) {
        x_owner->release();
      }
    }

   private:
    AsyncMutex* x_owner;
  };
  Async<Held> acquire();

 private:
  void release();

  std::mutex x_mutex;
  bool x_held = false;
  std::deque<Resume<void>> x_waiting;
};

}  // namespace outcrop::identity
