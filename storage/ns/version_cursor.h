// Walks all versions below a directory, current or not, from any place on, under one snapshot: the
// tree and Table::version merged, depth first, which is key order, and the newest version of a key
// first. Memory is two pages per level.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/keys.h"
#include "storage/ns/versions.h"

namespace outcrop::ns {

class VersionCursor {
 public:
  VersionCursor(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId root)
      : x_meta(meta), x_at(std::move(at)), x_root(root) {}

  /// The next entry will be the first whose path is >= `lower`; with `below`, the first behind the
  /// version of the key `lower` that has this number.
  Task<> seek(std::string_view lower, std::optional<std::uint64_t> below = {});
  /// Moves to the next version or directory; false at the end. What is below a directory is skipped
  /// unless enter() is called on it.
  Task<bool> next();
  void enter();

  /// From the root; a directory's ends with '/'.
  const std::string& path() const { return x_path; }
  bool at_directory() const { return x_directory != 0; }
  /// Of a directory: a version or a delete marker is below it for sure.
  bool occupied() const { return x_occupied; }
  InodeId directory() const { return x_directory; }
  /// A version, as it would be kept if it is current.
  const VersionRecord& version() const { return x_version; }
  bool latest() const { return x_latest; }

 private:
  struct Stream {
    std::string lower, upper;
    std::size_t limit = 0;  ///< of the next page
    std::vector<meta::KeyValue> page{};
    std::size_t used = 0;
    bool more = true;
    bool empty() const { return used == page.size(); }
    const meta::KeyValue& front() const { return page[used]; }
  };
  struct Level {
    std::size_t path_bytes = 0;  ///< of the directory's path
    Stream dirents, versions;
    std::string newest;  ///< the name whose newest version was met
    bool any = false;    ///< there is such a name
  };

  Task<std::uint64_t> newest_number(InodeId dir, std::string_view name);
  void push(InodeId dir, std::string dirents, std::string versions);
  Task<> load(Stream& stream);
  Result<bool> take_dirent(Level& level);
  Result<bool> take_version(Level& level, const VersionKey& key);

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  const InodeId x_root;
  std::vector<Level> x_levels;
  std::string x_path;
  InodeId x_directory = 0;
  bool x_occupied = false, x_latest = false;
  VersionRecord x_version;
};

/// Whether any version or delete marker is below the directory.
Task<bool> has_version_below(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId dir);

}  // namespace outcrop::ns
