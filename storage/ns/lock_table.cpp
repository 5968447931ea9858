#include "storage/ns/lock_table.h"

#include <algorithm>

#include "storage/base/assert.h"

namespace outcrop::ns {

LockName lock_name(char kind, std::uint64_t number, std::string_view text) {
  std::uint64_t h = std::hash<std::string_view>{}(text);
  h ^= (number + static_cast<unsigned char>(kind)) * 0x9e3779b97f4a7c15;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  return h ^ (h >> 31) ^ static_cast<unsigned char>(kind);
}

std::vector<std::pair<LockName, LockMode>> LockPlan::take() && {
  // Exclusive first among equals, so that unique() keeps it.
  std::ranges::sort(x_locks, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  x_locks.erase(std::unique(x_locks.begin(), x_locks.end(), same), x_locks.end());
  return std::move(x_locks);
}

LockTable::~LockTable() {
  for (Shard& s : x_shards) {
    OUTCROP_ASSERT(s.entries.empty());
  }
}

LockTable::Held& LockTable::Held::operator=(Held&& other) noexcept {
  if (this != &other) {
    release();
    x_table = std::exchange(other.x_table, nullptr);
    x_locks = std::move(other.x_locks);
  }
  return *this;
}

void LockTable::Held::release() {
  if (LockTable* table = std::exchange(x_table, nullptr)) {
    for (const auto& [name, mode] : x_locks) {
      table->release(name, mode);
    }
    x_locks.clear();
  }
}

Task<LockTable::Held> LockTable::acquire(LockPlan plan) {
  const auto wanted = std::move(plan).take();
  Held held;
  held.x_table = this;
  held.x_locks.reserve(wanted.size());
  for (const auto& [name, mode] : wanted) {
    if (!try_grant(name, mode)) {
      const Executor executor = co_await asio::this_coro::executor;
      CO_TRYV(co_await suspend<void>(
          [&](Resume<void> resume) { enqueue(name, mode, executor, std::move(resume)); }));
    }
    held.x_locks.emplace_back(name, mode);
  }
  co_return held;
}

bool LockTable::try_extend(Held& held, LockName name, LockMode mode) {
  const auto same = std::ranges::find(held.x_locks, name, &std::pair<LockName, LockMode>::first);
  if (same != held.x_locks.end()) {
    return same->second >= mode;
  }
  if (!try_grant(name, mode)) {
    return false;
  }
  held.x_table = this;
  held.x_locks.emplace_back(name, mode);
  return true;
}

bool LockTable::try_grant(LockName name, LockMode mode) {
  Shard& s = shard(name);
  const std::lock_guard lock(s.mutex);
  Entry& entry = s.entries[name];
  if (!entry.waiters.empty() || !entry.admits(mode)) {
    return false;
  }
  entry.grant(mode);
  return true;
}

void LockTable::enqueue(LockName name, LockMode mode, Executor executor, Resume<void> resume) {
  Shard& s = shard(name);
  {
    const std::lock_guard lock(s.mutex);
    Entry& entry = s.entries[name];
    if (!entry.waiters.empty() || !entry.admits(mode)) {
      entry.waiters.push_back({mode, executor, std::move(resume)});
      return;
    }
    entry.grant(mode);
  }
  resume(ok());
}

void LockTable::release(LockName name, LockMode mode) {
  std::list<Waiter> granted;
  Shard& s = shard(name);
  {
    const std::lock_guard lock(s.mutex);
    const auto it = s.entries.find(name);
    OUTCROP_ASSERT(it != s.entries.end());
    Entry& entry = it->second;
    if (mode == LockMode::exclusive) {
      entry.exclusive = false;
    } else {
      --entry.shared;
    }
    while (!entry.waiters.empty() && entry.admits(entry.waiters.front().mode)) {
      entry.grant(entry.waiters.front().mode);
      granted.splice(granted.end(), entry.waiters, entry.waiters.begin());
    }
    if (entry.shared == 0 && !entry.exclusive && entry.waiters.empty()) {
      s.entries.erase(it);
    }
  }
  for (Waiter& w : granted) {
    // Posted, not resumed in place: a queue of a thousand waiters would nest a thousand deep.
    asio::post(w.executor, [resume = std::move(w.resume)]() mutable { resume(ok()); });
  }
}

std::size_t LockTable::holders(LockName name) {
  Shard& s = shard(name);
  const std::lock_guard lock(s.mutex);
  const auto it = s.entries.find(name);
  return it == s.entries.end() ? 0 : it->second.shared + (it->second.exclusive ? 1 : 0);
}

}  // namespace outcrop::ns
