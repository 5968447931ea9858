#include "storage/ns/directory_times.h"

#include <algorithm>

namespace outcrop::ns {
namespace {

// Entries from the old end that are looked through for one that is written back.
constexpr int kEvictionDepth = 16;

template <class T>
void raise(std::atomic<T>& value, T least) {
  T now = value.load();
  while (now < least && !value.compare_exchange_weak(now, least)) {
  }
}

}  // namespace

DirectoryChange DirectoryTimes::move(InodeId root,
                                     InodeId directory,
                                     std::optional<std::int64_t> mtime_ns,
                                     std::int64_t now_ns,
                                     std::int64_t stored_mtime_ns) {
  Shard& s = shard(directory);
  const std::lock_guard lock(s.mutex);
  const auto found = s.index.find(directory);
  DirectoryChange out;
  // The floor is read before the number is drawn: a number of this boot that raised it is smaller.
  out.before = found != s.index.end() ? found->second->state.change : absent_change();
  out.after = x_changes.next();
  const std::int64_t last =
      found != s.index.end() ? found->second->state.ctime_ns : x_floor_ctime.load();
  // Clients of NFSv3 know only the ctime: it moves even if the clock does not.
  const std::int64_t kept =
      found != s.index.end() ? found->second->state.mtime_ns : stored_mtime_ns;
  const DirectoryState state{out.after, mtime_ns.value_or(kept), std::max(now_ns, last + 1)};
  if (found != s.index.end()) {
    found->second->state = state;
    found->second->behind = true;
    s.lru.splice(s.lru.begin(), s.lru, found->second);
  } else {
    s.lru.push_front({root, directory, state, true});
    s.index.emplace(directory, s.lru.begin());
    shrink(s);
  }
  return out;
}

void DirectoryTimes::shrink(Shard& s) {
  if (s.lru.size() <= x_max_shard) {
    return;
  }
  auto victim = std::prev(s.lru.end());
  for (int i = 0; i < kEvictionDepth && victim != s.lru.begin(); ++i, --victim) {
    if (!victim->behind) {
      break;
    }
  }
  if (victim->behind) {
    victim = std::prev(s.lru.end());
  }
  raise(x_floor_change, victim->state.change);
  raise(x_floor_ctime, victim->state.ctime_ns);
  s.index.erase(victim->directory);
  s.lru.erase(victim);
}

DirectoryState DirectoryTimes::get(InodeId directory, const InodeRecord& record) {
  Shard& s = shard(directory);
  const std::lock_guard lock(s.mutex);
  if (const auto found = s.index.find(directory); found != s.index.end()) {
    return found->second->state;
  }
  const std::int64_t stored = record.posix ? record.posix->ctime_ns : record.mtime_ns;
  return {absent_change(), record.mtime_ns, std::max(stored, x_floor_ctime.load())};
}

std::vector<DirectoryTimes::Unwritten> DirectoryTimes::unwritten(std::size_t max) {
  std::vector<Unwritten> out;
  for (Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    for (const Entry& entry : s.lru) {
      if (out.size() == max) {
        return out;
      }
      if (entry.behind) {
        out.push_back({entry.root, entry.directory, entry.state});
      }
    }
  }
  return out;
}

void DirectoryTimes::written(const Unwritten& what) {
  Shard& s = shard(what.directory);
  const std::lock_guard lock(s.mutex);
  const auto found = s.index.find(what.directory);
  if (found != s.index.end() && found->second->state.change == what.state.change) {
    found->second->behind = false;
  }
}

}  // namespace outcrop::ns
