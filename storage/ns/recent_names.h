// Where entries were that left a directory while a file client was reading it. A position in a
// directory is an entry's cookie, and clients remove or rename what they have just read before they
// read on. Only directories that are being read are watched, so S3 alone pays nothing. What is
// listed anew at another place is forgotten here: its cookie means that place now. Any thread.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
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
  static constexpr std::size_t kMaxDirectories = 256;  ///< watched: those read last

  /// A page of the directory was given out that was not its last.
  void reading(InodeId directory) {
    const std::lock_guard lock(x_mutex);
    const auto it = std::ranges::find(x_watched, directory);
    if (it != x_watched.end()) {
      std::rotate(it, it + 1, x_watched.end());
      return;
    }
    if (x_watched.size() == kMaxDirectories) {
      x_watched.erase(x_watched.begin());
    }
    x_watched.push_back(directory);
    x_active = true;
  }

  /// Call it before the commit: a reader must not find the entry neither here nor there.
  void left(InodeId directory, std::uint64_t cookie, std::string_view name) {
    if (!x_active) {
      return;
    }
    const std::lock_guard lock(x_mutex);
    if (std::ranges::find(x_watched, directory) == x_watched.end()) {
      return;
    }
    drop({directory, cookie});
    if (x_order.size() == kMaxNames) {
      drop(x_order.back().first);
    }
    x_order.emplace_front(Place{directory, cookie}, std::string(name));
    x_index.emplace(x_order.front().first, x_order.begin());
  }

  std::optional<std::string> find(InodeId directory, std::uint64_t cookie) {
    if (!x_active) {
      return std::nullopt;
    }
    const std::lock_guard lock(x_mutex);
    const auto it = x_index.find({directory, cookie});
    return it == x_index.end() ? std::nullopt : std::optional(it->second->second);
  }

  /// The entry was just listed where it is now.
  void listed(InodeId directory, std::uint64_t cookie) {
    if (x_active) {
      const std::lock_guard lock(x_mutex);
      drop({directory, cookie});
    }
  }

 private:
  using Place = std::pair<InodeId, std::uint64_t>;
  struct Hash {
    std::size_t operator()(const Place& p) const {
      return (p.first * 0x9e3779b97f4a7c15) ^ p.second;
    }
  };
  using Order = std::list<std::pair<Place, std::string>>;

  void drop(const Place& place) {
    const auto it = x_index.find(place);
    if (it != x_index.end()) {
      const auto entry = it->second;
      x_index.erase(it);
      x_order.erase(entry);
    }
  }

  std::atomic<bool> x_active{false};
  std::mutex x_mutex;
  std::vector<InodeId> x_watched;  ///< read last at the end
  Order x_order;                   ///< newest first
  std::unordered_map<Place, Order::iterator, Hash> x_index;
};

}  // namespace outcrop::ns
