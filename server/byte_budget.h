// The process-wide budget of payload bytes in flight, an asynchronous semaphore: sessions take a
// share before they read a body or stream a response and give it back afterwards, so that the sum
// over all connections stays below the share of memory_limit set aside for it, whatever clients do.
// A part is kept for small transfers: large ones that crawl hold theirs for long, and nobody who
// wants a few kilobytes may have to wait for them.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "storage/base/async.h"

namespace outcrop::server {

class ByteBudget {
 public:
  static constexpr std::uint64_t kSmall = 256 << 10;      ///< up to this much is a small transfer
  static constexpr std::uint64_t kSmallShareDivisor = 8;  ///< of the capacity is for them alone

  explicit ByteBudget(std::uint64_t bytes)
      : x_capacity(bytes),
        x_lines{Line{.free = bytes - bytes / kSmallShareDivisor, .waiters = {}},
                Line{.free = bytes / kSmallShareDivisor, .waiters = {}}},
        x_largest(x_lines[kLarge].free) {}
  ByteBudget(const ByteBudget&) = delete;

  /// Gives its bytes back when destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(ByteBudget& owner, std::size_t line, std::uint64_t bytes)
        : x_owner(&owner), x_line(line), x_bytes(bytes) {}
    Lease(Lease&& o) noexcept
        : x_owner(std::exchange(o.x_owner, nullptr)), x_line(o.x_line), x_bytes(o.x_bytes) {}
    Lease& operator=(Lease&& o) noexcept {
      release();
      x_owner = std::exchange(o.x_owner, nullptr);
      x_line = o.x_line;
      x_bytes = o.x_bytes;
      return *this;
    }
    ~Lease() { release(); }
    void release();
    explicit operator bool() const { return x_owner != nullptr; }

   private:
    ByteBudget* x_owner = nullptr;
    std::size_t x_line = kLarge;
    std::uint64_t x_bytes = 0;
  };

  /// Where a share may come from. Who then waits for a small transfer's share with this one in hand
  /// takes from the common part only, so that the two do not wait for each other.
  enum class Part : std::uint8_t { any, common };

  /// Takes `bytes` (what exceeds the common part does not count) at once, or nothing when others
  /// wait or too little is free. Any thread.
  bool try_take(std::uint64_t bytes, Lease& out, Part part = Part::any);
  /// Waits in line for `bytes`. Whoever holds a lease makes progress or times out, and nobody waits
  /// in a line with a lease of that line in hand, so the line moves.
  Task<Lease> take(std::uint64_t bytes, Part part = Part::any);

  std::uint64_t capacity() const { return x_capacity; }
  std::uint64_t in_use() const;
  /// Somebody waits for a share of the common part.
  bool contended() const;

 private:
  struct Waiter {
    std::uint64_t bytes;
    Resume<void> resume;
  };
  /// Small transfers use the common part while nobody waits for it, then their own.
  static constexpr std::size_t kLarge = 0, kSmallOnly = 1;
  struct Line {
    std::uint64_t free = 0;
    std::deque<Waiter> waiters;
  };
  std::optional<std::size_t> take_now(std::uint64_t bytes, Part part);
  void give_back(std::size_t line, std::uint64_t bytes);

  const std::uint64_t x_capacity;
  mutable std::mutex x_mutex;
  std::array<Line, 2> x_lines;
  const std::uint64_t x_largest;  ///< a lease is never more than the common part
};

}  // namespace outcrop::server
