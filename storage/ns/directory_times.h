// Change attribute and times of the directories whose entries changed since the start. They live in
// memory, because a PUT must not rewrite its parent's record, and are written back in passes
// (write_directory_times). A directory that is not here has changed at most as late as the floor:
// what falls out of the bounded table raises it, so that no client ever misses a change. Any
// thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "storage/ns/change_counter.h"
#include "storage/ns/inode_record.h"

namespace outcrop::ns {

struct DirectoryState {
  std::uint64_t change = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
};

class DirectoryTimes {
 public:
  DirectoryTimes(ChangeCounter& changes, std::size_t max_entries)
      : x_changes(changes), x_max_shard(std::max<std::size_t>(max_entries / kShards, 2)) {}

  /// After a restart a directory's ctime is at least this: clients look again.
  void open(std::int64_t boot_ns) { x_floor_ctime = boot_ns; }

  /// An entry of the directory came, went or leads elsewhere; call it after the commit. The changes
  /// of one directory form a chain: `before` is the last call's `after`.
  DirectoryChange touch(InodeId root, InodeId directory, std::int64_t now_ns) {
    return move(root, directory, now_ns, now_ns);
  }
  /// Its attributes changed; `mtime_ns`: what it is now.
  DirectoryChange set(InodeId root, InodeId directory, std::int64_t mtime_ns, std::int64_t now_ns) {
    return move(root, directory, mtime_ns, now_ns);
  }
  /// Other attributes of it changed, or its name: its mtime stays, as whoever made or removed an
  /// entry meanwhile has left it. `record`: its inode record.
  DirectoryChange change(InodeId root,
                         InodeId directory,
                         const InodeRecord& record,
                         std::int64_t now_ns) {
    return move(root, directory, std::nullopt, now_ns, record.mtime_ns);
  }
  /// `record`: its inode record.
  DirectoryState get(InodeId directory, const InodeRecord& record);

  struct Unwritten {
    InodeId root = 0, directory = 0;
    DirectoryState state;
  };
  /// Directories whose records are behind, at most `max`.
  std::vector<Unwritten> unwritten(std::size_t max);
  /// The record has this state now, or the directory is gone.
  void written(const Unwritten& what);

 private:
  static constexpr std::size_t kShards = 32;
  struct Entry {
    InodeId root, directory;
    DirectoryState state;
    bool behind;  ///< the record is
  };
  using Entries = std::list<Entry>;
  struct alignas(64) Shard {
    std::mutex mutex;
    Entries lru;  ///< last changed first
    std::unordered_map<InodeId, Entries::iterator> index;
  };

  /// No mtime: it stays, and is `stored_mtime_ns` if memory has none.
  DirectoryChange move(InodeId root,
                       InodeId directory,
                       std::optional<std::int64_t> mtime_ns,
                       std::int64_t now_ns,
                       std::int64_t stored_mtime_ns = 0);
  void shrink(Shard& shard);
  std::uint64_t absent_change() const { return std::max(x_changes.floor(), x_floor_change.load()); }
  Shard& shard(InodeId directory) { return x_shards[directory % kShards]; }

  ChangeCounter& x_changes;
  const std::size_t x_max_shard;
  std::atomic<std::uint64_t> x_floor_change{0};
  std::atomic<std::int64_t> x_floor_ctime{0};
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::ns
