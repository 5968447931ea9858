// What lies inside of an export: its bucket's root, and where ".." ends when a directory of the
// bucket is exported.
#pragma once
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "api/nfs/export.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

/// Any thread. Remembers one inode number per export, which is only ever used to say yes: an inode
/// below a root that is gone is stale for the file system anyway.
class ExportScope {
 public:
  /// `files` is borrowed.
  explicit ExportScope(ns::FileSystem& files) : x_files(files) {}

  /// ok, or stale: `root` is not the root of the export's bucket (any more).
  Task<> check_root(const Export& on, InodeId root);
  /// The common case of check_root(), without a suspension: false says nothing.
  bool known_root(const Export& on, InodeId root) const;

  /// The directory that is exported: of the bucket or its prefix; stale if there is none.
  Task<ns::FileAttributes> top(const Export& on);
  /// The parent of a directory of the export; of its top that itself. stale: the directory is not
  /// below the top (any more).
  Task<ns::FileAttributes> parent(const Export& on, ns::FileId directory);

 private:
  ns::FileSystem& x_files;
  mutable std::shared_mutex x_mutex;
  struct Known {
    std::string bucket;
    InodeId root = 0;
  };
  std::unordered_map<ExportId, Known> x_roots;
};

}  // namespace outcrop::nfs
