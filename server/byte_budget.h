// The process-wide budget of payload bytes in flight, an asynchronous semaphore: sessions take a
// share before they read a body or stream a response and give it back afterwards, so that the sum
// over all connections stays below the share of memory_limit set aside for it, whatever clients do.
#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include "storage/base/async.h"

namespace outcrop::server {

class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t bytes) : x_capacity(bytes), x_free(bytes) {}
  ByteBudget(const ByteBudget&) = delete;

  /// Gives its bytes back when destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(ByteBudget& owner, std::uint64_t bytes) : x_owner(&owner), x_bytes(bytes) {}
    Lease(Lease&& o) noexcept
        : x_owner(std::exchange(o.x_owner, nullptr)), x_bytes(std::exchange(o.x_bytes, 0)) {}
    Lease& operator=(Lease&& o) noexcept {
      release();
      x_owner = std::exchange(o.x_owner, nullptr);
      x_bytes = std::exchange(o.x_bytes, 0);
      return *this;
    }
    ~Lease() { release(); }
    void release();
    explicit operator bool() const { return x_owner != nullptr; }

   private:
    ByteBudget* x_owner = nullptr;
    std::uint64_t x_bytes = 0;
  };

  /// Takes `bytes` (at most the capacity counts) at once, or nothing when others wait or too little
  /// is free. Any thread.
  bool try_take(std::uint64_t bytes, Lease& out);
  /// Waits in line for `bytes`. Whoever holds a lease makes progress or times out, and nobody waits
  /// with a lease in hand, so the line moves.
  Task<Lease> take(std::uint64_t bytes);

  std::uint64_t capacity() const { return x_capacity; }
  std::uint64_t in_use() const;

 private:
  struct Waiter {
    std::uint64_t bytes;
    Resume<void> resume;
  };
  void give_back(std::uint64_t bytes);

  const std::uint64_t x_capacity;
  mutable std::mutex x_mutex;
  std::uint64_t x_free;
  std::deque<Waiter> x_waiters;
};

}  // namespace outcrop::server
