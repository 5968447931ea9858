// Walks the tree below a directory depth first, which is S3 key order, from any key on, under one
// snapshot. Memory is one page of dirents per level.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/core.h"

namespace outcrop::ns {

class TreeCursor {
 public:
  /// `hint`: how many entries the caller is going to want.
  TreeCursor(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId root, std::size_t hint)
      : x_meta(meta), x_at(std::move(at)), x_root(root), x_hint(hint) {}

  /// The next entry will be the first whose path is >= `lower`.
  Task<> seek(std::string_view lower);
  /// Moves to the next file, symlink or directory; false at the end. What is below a directory is
  /// skipped unless enter() is called on it.
  Task<bool> next();
  /// The same without waiting, if the next entry is in memory; false: call next().
  Result<bool> step();
  void enter();

  /// From the root; a directory's ends with '/'.
  const std::string& path() const { return x_path; }
  const DirentRecord& dirent() const { return x_dirent; }
  /// Of the current entry, once.
  std::string take_etag() { return std::move(x_dirent.etag); }
  bool at_directory() const { return x_dirent.type == InodeType::directory; }

 private:
  struct Level {
    InodeId dir = 0;
    std::size_t path_bytes = 0;  ///< of the directory's path
    std::string lower;           ///< where the next page starts
    std::size_t limit = 0;       ///< of the next page
    std::vector<meta::KeyValue> page;
    std::size_t used = 0;
    bool more = true;
  };

  void push(InodeId dir, std::string lower, std::size_t limit);
  Task<> load(Level& level);

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  const InodeId x_root;
  const std::size_t x_hint;
  std::vector<Level> x_levels;
  std::string x_path;
  DirentRecord x_dirent;
};

/// Whether any file, of whatever key, lies below `dir`; symlinks do not count.
Task<bool> has_key_below(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId dir);

}  // namespace outcrop::ns
