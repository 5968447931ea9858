// Checks that the tree is whole: what fsck runs offline and what the tests run after every history.
// Reads everything under one snapshot; memory is about 200 bytes per inode and per extent.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "storage/meta/meta_store.h"

namespace outcrop::ns {

struct TreeReport {
  std::uint64_t buckets = 0, files = 0, directories = 0, symlinks = 0, special_nodes = 0,
                orphans = 0, uploads = 0, parts = 0, extent_refs = 0, versions = 0,
                delete_markers = 0;
  std::vector<std::string> problems;  ///< the first kMaxProblems, one line each
  std::uint64_t problem_count = 0;
  bool clean() const { return problem_count == 0; }
};

inline constexpr std::size_t kMaxProblems = 1000;

/// Every name leads to an inode that points back, every inode has as many names as it says and link
/// records for all of them if they are several, an orphan record if there is none; summaries, sizes
/// and extended attributes agree, implicit directories hold keys, parts belong to uploads and
/// uploads to buckets, and the extent references are exactly what inodes and parts use. Fails only
/// if reading fails.
Task<TreeReport> check_tree(meta::MetaStore& meta);

}  // namespace outcrop::ns
