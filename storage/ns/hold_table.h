// Which inodes clients have open, and how often. Exact against removal because both sides hold the
// inode's lock: hold() shared while it looks at the inode and adds itself, whoever takes the last
// name exclusive. The end of a hold takes no lock: an orphan whose last hold ended is queued, and
// flush_idle() removes it. Any thread.
//
// Also which files of buckets with versions are being written: a session begins with the first
// change of the bytes and ends with the file's last hold, or, of who holds nothing (NFSv3), when
// nothing was written for a while. All changes of one session make one version.
#pragma once
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/base/ids.h"

namespace outcrop::ns {

/// What is not open and was not written for so long is finished.
inline constexpr std::int64_t kWriteSessionIdleNs = 10'000'000'000;

class HoldTable {
 public:
  /// A session that has begun and not ended is one of an open file from here on: CREATE comes
  /// before the hold of who creates.
  void add(InodeId ino, std::int64_t steady_ns) {
    const std::lock_guard lock(x_mutex);
    ++x_holds[ino];
    const auto it = x_sessions.find(ino);
    if (it != x_sessions.end() && !ended(*it, steady_ns)) {
      it->second.held = true;
    }
  }
  void release(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    const auto it = x_holds.find(ino);
    if (--it->second == 0) {
      x_holds.erase(it);
      x_sessions.erase(ino);
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

  /// False: there is no session that the change belongs to.
  bool continue_session(InodeId ino, std::int64_t steady_ns) {
    const std::lock_guard lock(x_mutex);
    const auto it = x_sessions.find(ino);
    if (it == x_sessions.end() || ended(*it, steady_ns)) {
      return false;
    }
    it->second = {steady_ns, x_holds.contains(ino)};
    return true;
  }
  void begin_session(InodeId ino, std::int64_t steady_ns) {
    const std::lock_guard lock(x_mutex);
    x_sessions[ino] = {steady_ns, x_holds.contains(ino)};
  }
  /// The next change of the bytes makes a version of what they are now. Early does no harm.
  void end_session(InodeId ino) {
    const std::lock_guard lock(x_mutex);
    x_sessions.erase(ino);
  }
  void expire_sessions(std::int64_t steady_ns) {
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_sessions, [&](const auto& session) { return ended(session, steady_ns); });
  }

 private:
  struct Session {
    std::int64_t last_ns = 0;
    bool held = false;  ///< it is open, and has been since a moment of the session
  };
  bool ended(const std::pair<const InodeId, Session>& session, std::int64_t steady_ns) const {
    return !session.second.held && steady_ns - session.second.last_ns >= kWriteSessionIdleNs;
  }

  mutable std::mutex x_mutex;
  std::unordered_map<InodeId, std::size_t> x_holds;
  std::unordered_set<InodeId> x_orphans;  ///< of those held
  std::vector<InodeId> x_ended;
  std::unordered_map<InodeId, Session> x_sessions;
};

}  // namespace outcrop::ns
