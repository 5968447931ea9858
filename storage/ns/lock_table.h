// Shared and exclusive locks by 64-bit name, for coroutines of many workers. A waiting coroutine
// suspends; no thread ever blocks. A set of locks is taken in the order of the names, so sets never
// deadlock; a holder must not acquire a second set, but may try to take a lock that is free just
// then. Two names with one hash are one lock.
#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/async.h"

namespace outcrop::ns {

using LockName = std::uint64_t;
enum class LockMode : std::uint8_t { shared, exclusive };

/// Spreads (kind, number, text) over 64 bits.
LockName lock_name(char kind, std::uint64_t number, std::string_view text = {});

/// What one operation needs; duplicates merge to the stronger mode.
class LockPlan {
 public:
  void add(LockName name, LockMode mode) { x_locks.emplace_back(name, mode); }
  /// Sorted by name, without duplicates.
  std::vector<std::pair<LockName, LockMode>> take() &&;

 private:
  std::vector<std::pair<LockName, LockMode>> x_locks;
};

class LockTable {
 public:
  /// Held locks; destroying it releases them, on any thread.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept
        : x_table(std::exchange(other.x_table, nullptr)), x_locks(std::move(other.x_locks)) {}
    Held& operator=(Held&& other) noexcept;
    ~Held() { release(); }
    void release();

   private:
    friend class LockTable;
    LockTable* x_table = nullptr;
    std::vector<std::pair<LockName, LockMode>> x_locks;
  };

  LockTable() = default;
  LockTable(const LockTable&) = delete;
  ~LockTable();

  /// Waits in arrival order per lock: a stream of shared holders cannot starve an exclusive one.
  Task<Held> acquire(LockPlan plan);
  /// Adds a lock to those held, if that needs no waiting. True also if they include it already.
  bool try_extend(Held& held, LockName name, LockMode mode);
  /// How many hold `name` now, including the caller.
  std::size_t holders(LockName name);

 private:
  struct Waiter {
    LockMode mode;
    Executor executor;
    Resume<void> resume;
  };
  struct Entry {
    std::size_t shared = 0;
    bool exclusive = false;
    std::list<Waiter> waiters;  // mostly empty: no memory then
    bool admits(LockMode mode) const {
      return !exclusive && (mode == LockMode::shared || shared == 0);
    }
    void grant(LockMode mode) {
      if (mode == LockMode::shared) {
        ++shared;
      } else {
        exclusive = true;
      }
    }
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<LockName, Entry> entries;
  };

  Shard& shard(LockName name) { return x_shards[name >> 56]; }
  bool try_grant(LockName name, LockMode mode);
  void enqueue(LockName name, LockMode mode, Executor executor, Resume<void> resume);
  void release(LockName name, LockMode mode);

  std::array<Shard, 256> x_shards;
};

}  // namespace outcrop::ns
