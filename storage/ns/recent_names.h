// Where entries were that left a directory while a file client was reading it. A position in a
// directory is an entry's cookie, and clients remove or rename what they have just read before they
// read on. A cookie is of one place for ever (links.h). Only directories that were read lately are
// watched, and after a start all of them for a while, so S3 alone pays nothing. This is what is
// asked first; left_names.h has it durably. Any thread.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/ids.h"

namespace outcrop::ns {

class RecentNames {
 public:
  static constexpr std::size_t kMaxNames = 1 << 16;
  static constexpr std::size_t kMaxDirectories = 256;  ///< more, and all are watched

  static constexpr std::int64_t kWatchNs = 600'000'000'000;  ///< after the last read

  /// Somebody reads a directory, or did before the restart.
  bool active() const { return x_active; }
  /// From now on for a while: readers that an earlier run served may come back.
  void watch_all(std::int64_t now_ns) {
    const std::lock_guard lock(x_mutex);
    x_active = true;
    x_all_until_ns = now_ns + kWatchNs;
  }
  /// Whether the store knows that directories are read, or refused to a short while ago: see
  /// remember_readers().
  bool remembered(std::int64_t now_ns) const { return now_ns < x_remembered_until_ns; }
  void set_remembered(std::int64_t until_ns = std::numeric_limits<std::int64_t>::max()) {
    x_remembered_until_ns = until_ns;
  }

  /// A page of the directory is about to be read.
  void reading(InodeId directory, std::int64_t now_ns) {
    const std::lock_guard lock(x_mutex);
    x_active = true;
    const auto it = std::ranges::find(x_watched, directory, &Watched::directory);
    if (it != x_watched.end()) {
      it->last_ns = now_ns;
      std::rotate(it, it + 1, x_watched.end());
      return;
    }
    if (x_watched.size() == kMaxDirectories) {
      if (now_ns - x_watched.front().last_ns <= kWatchNs) {
        x_all_until_ns = now_ns + kWatchNs;  // whoever reads that one comes back
      }
      x_watched.erase(x_watched.begin());
    }
    x_watched.push_back({directory, now_ns});
  }

  /// Where the removal of records older than a period goes on, which must not look at those again
  /// that it has removed; empty: they are all gone. See expire_left_names().
  std::optional<std::string> forget_from(std::uint64_t period) const {
    const std::lock_guard lock(x_mutex);
    return period > x_forgotten ? std::optional(x_forget_from) : std::nullopt;
  }
  void forgot(std::string until, std::uint64_t whole_periods) {
    const std::lock_guard lock(x_mutex);
    x_forget_from = std::move(until);
    x_forgotten = whole_periods;
  }

  /// Forgets directories that nobody reads any more; from time to time.
  void expire(std::int64_t now_ns) {
    if (!x_active) {
      return;
    }
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_watched, [&](const Watched& w) { return now_ns - w.last_ns > kWatchNs; });
    if (now_ns > x_all_until_ns.value_or(now_ns)) {
      x_all_until_ns.reset();
    }
    if (x_watched.empty() && !x_all_until_ns) {
      x_index.clear();
      x_order.clear();
      x_active = false;
    }
  }

  /// Call it before the commit: a reader must find the entry either there or here. False: nobody
  /// reads the directory; who starts before the commit is done may still see the entry, so call it
  /// again after it.
  bool left(InodeId directory, std::uint64_t cookie, std::string_view name) {
    if (!x_active) {
      return false;
    }
    const std::lock_guard lock(x_mutex);
    if (!x_all_until_ns &&
        std::ranges::find(x_watched, directory, &Watched::directory) == x_watched.end()) {
      return false;
    }
    if (const auto it = x_index.find({directory, cookie}); it != x_index.end()) {
      it->second->second = name;
      return true;
    }
    if (x_order.size() == kMaxNames) {
      x_index.erase(x_order.back().first);
      x_order.pop_back();
    }
    x_order.emplace_front(Place{directory, cookie}, std::string(name));
    x_index.emplace(x_order.front().first, x_order.begin());
    return true;
  }

  std::optional<std::string> find(InodeId directory, std::uint64_t cookie) {
    if (!x_active) {
      return std::nullopt;
    }
    const std::lock_guard lock(x_mutex);
    const auto it = x_index.find({directory, cookie});
    return it == x_index.end() ? std::nullopt : std::optional(it->second->second);
  }

 private:
  struct Watched {
    InodeId directory;
    std::int64_t last_ns;
  };
  using Place = std::pair<InodeId, std::uint64_t>;
  struct Hash {
    std::size_t operator()(const Place& p) const {
      return (p.first * 0x9e3779b97f4a7c15) ^ p.second;
    }
  };
  using Order = std::list<std::pair<Place, std::string>>;

  std::atomic<bool> x_active{false};
  std::atomic<std::int64_t> x_remembered_until_ns{std::numeric_limits<std::int64_t>::min()};
  mutable std::mutex x_mutex;
  std::vector<Watched> x_watched;  ///< read last at the end
  std::string x_forget_from;
  std::uint64_t x_forgotten = 0;               ///< all records of earlier periods are removed
  std::optional<std::int64_t> x_all_until_ns;  ///< set: all are watched
  Order x_order;                               ///< newest first
  std::unordered_map<Place, Order::iterator, Hash> x_index;
};

}  // namespace outcrop::ns
