// Which inodes clients have open, and how often. Exact against removal because both sides hold the
// inode's lock: hold() shared while it looks at the inode and adds itself, whoever takes the last
// name exclusive. The end of a hold takes no lock: an orphan whose last hold ended is queued, and
// flush_idle() removes it. Any thread.
#pragma once
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/base/ids.h"

namespace outcrop::ns {

class HoldTable {
 public:
  void add(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    ++x_holds[ino];
  }
  void release(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    const auto it = x_holds.find(ino);
    if (--it->second == 0) {
      x_holds.erase(it);
      if (x_orphans.erase(ino) > 0) {
        x_ended.push_back(ino);
      }
    }
  }
  bool held(InodeId ino) const {
    const std::lock_guard lock(x_mutex);
    return x_holds.contains(ino);
  }
  /// The inode has lost its last name, committed; its last hold may have ended meanwhile.
  void orphaned(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    if (x_holds.contains(ino)) {
      x_orphans.insert(ino);
    } else {
      x_ended.push_back(ino);
    }
  }
  /// Orphans that nobody holds any more, each once.
  std::vector<InodeId> take_ended() {
    const std::lock_guard lock(x_mutex);
    return std::exchange(x_ended, {});
  }

 private:
  mutable std::mutex x_mutex;
  std::unordered_map<InodeId, std::size_t> x_holds;
  std::unordered_set<InodeId> x_orphans;  ///< of those held
  std::vector<InodeId> x_ended;
};

}  // namespace outcrop::ns
