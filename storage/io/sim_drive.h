// One simulated drive: inodes, directories, and the directory changes that no sync_dir has covered
// yet. Knows nothing of counting, crashing or errors: SimWorld decides, this applies. Internal.
#pragma once
#include <deque>
#include <set>
#include <string_view>

#include "storage/base/result.h"
#include "storage/io/disk.h"
#include "storage/io/sim_inode.h"

namespace outcrop::io::sim {

inline constexpr Ino kRoot = 1;

struct Inode {
  bool directory = false;
  FileData data;
  std::map<std::string, Ino, std::less<>> entries;          // as the process sees them
  std::map<std::string, Ino, std::less<>> durable_entries;  // as a crash would find them
};

/// Copying is cheap: inodes are shared until one side changes them.
class Drive {
 public:
  Drive();

  const Inode* find(std::string_view path) const;
  FileData* file(Ino ino);  ///< null once the inode is collected
  Result<Ino> lookup(std::string_view path) const;
  bool is_directory(Ino ino) const { return x_inodes.at(ino)->directory; }
  /// The directory part of a path must be a directory: its inode; invalid_argument if the path
  /// leaves the drive.
  Result<Ino> parent(std::string_view path) const;

  /// All changes below are volatile until sync_dir of the directory.
  Result<Ino> create(std::string_view path, bool directory);
  Result<void> rename(std::string_view from, std::string_view to);
  Result<void> unlink(std::string_view path);
  /// Stops early, with part of the tree gone, when `choice` says no.
  void unlink_tree(std::string_view path, const SectorChoice& choice);
  void sync_dir(Ino dir);

  void power_cut(Random& random);
  /// Drops inodes that no directory leads to, nor would after a crash. No handle may be open.
  void collect();
  /// By its files, if it has a size; else as `space` says.
  Space measured() const;

  bool removed = false;
  std::uint64_t plugged =
      1;  ///< counted up when it is plugged in again: handles from before are dead
  bool hung = false;
  const void* lock_holder = nullptr;
  std::uint64_t size = 0;  ///< 0: endless
  Space space{.total_bytes = std::uint64_t{1} << 40, .free_bytes = std::uint64_t{1} << 40};

 private:
  /// One change of one or two directory entries; atomic.
  struct Change {
    Ino from_dir = 0;  // entry taken away; 0: none
    std::string from{};
    Ino to_dir = 0;  // entry set; 0: none
    std::string to{};
    Ino ino = 0;
    bool touches(const std::set<Ino>& dirs) const {
      return dirs.contains(from_dir) || dirs.contains(to_dir);
    }
  };

  Inode& writable(Ino ino);
  void apply(Change change);
  void settle(const Change& change);

  std::map<Ino, std::shared_ptr<Inode>> x_inodes;
  Ino x_next = kRoot + 1;
  std::deque<Change> x_pending;
};

/// "a/b/c" -> {"a/b", "c"}; a name alone lies in "".
std::pair<std::string_view, std::string_view> split_path(std::string_view path);

}  // namespace outcrop::io::sim
