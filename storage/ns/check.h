// Checks that the tree is whole: what fsck runs offline and what the tests run after every history.
// Reads everything under one snapshot, and sorts what is said about each inode and each extent in a
// scratch directory: memory is bounded however large the store is.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/meta/extent_ref.h"
#include "storage/meta/meta_store.h"

namespace outcrop::io {
class Disk;
}

namespace outcrop::ns {

struct TreeProblem {
  std::string_view what;  ///< a constant: which rule is broken
  InodeId ino = 0;
  std::string detail{};  ///< a name, or what a decoder said; bytes as they are
  std::string text() const;
};

struct TreeReport {
  std::uint64_t buckets = 0, files = 0, directories = 0, symlinks = 0, special_nodes = 0,
                orphans = 0, uploads = 0, parts = 0, extent_refs = 0, versions = 0,
                delete_markers = 0, payload_bytes = 0;
  std::vector<TreeProblem> problems;  ///< the first kMaxProblems
  std::uint64_t problem_count = 0;
  bool clean() const { return problem_count == 0; }
  void add(std::string_view what, InodeId ino, std::string_view detail = {});
};

inline constexpr std::size_t kMaxProblems = 1000;

/// That an inode, or a part of an upload, names an extent.
struct ExtentUser {
  Extent extent;
  InodeId owner = 0;
};

/// Is told of every extent that committed metadata needs, by segment and offset, then by owner.
class ExtentVisitor {
 public:
  virtual ~ExtentVisitor() = default;
  virtual Task<> visit(ExtentUser user) = 0;
};

struct CheckOptions {
  io::Disk* scratch = nullptr;          ///< null: all is sorted in memory
  std::size_t memory_bytes = 64 << 20;  ///< of each of two sorts
  ExtentVisitor* visitor = nullptr;
  /// Told now and then how many records have been read; false ends the check with cancelled.
  std::function<bool(std::uint64_t records)> progress{};
};

/// Every name leads to an inode that points back, every inode has as many names as it says and link
/// records for all of them if they are several, an orphan record if there is none; every directory
/// is below a bucket, inode numbers are below the counter; summaries, sizes and extended attributes
/// agree, implicit directories hold keys, what is current is newer than the versions of its key, a
/// key without an object has a delete marker or no versions, history directories hold history only,
/// parts belong to uploads and uploads to buckets, and the extent references are exactly what
/// inodes and parts use; and if so much is in order, what buckets hold is what their tallies say.
/// Fails only if reading fails, with the visitor, or if it was ended.
Task<TreeReport> check_tree(meta::MetaStore& meta, CheckOptions options = {});

}  // namespace outcrop::ns
