// Counts what every bucket holds from the inodes and parts themselves: for stores whose tallies
// older builds have not kept, and for checks.
#pragma once
#include <functional>
#include <map>

#include "storage/meta/meta_store.h"
#include "storage/ns/quota_groups.h"
#include "storage/ns/types.h"

namespace outcrop::ns {

using UsageByRoot = std::map<InodeId, Usage>;

/// As of `at`; roots of buckets that hold nothing are not in it. What cannot be decoded, or leads
/// to no bucket, is left out. `progress` is told after each inode how many have been read; false
/// ends it with cancelled. Memory: by buckets, and a bounded part of the directories.
Task<UsageByRoot> count_usage(meta::MetaStore& meta,
                              meta::SnapshotPtr at,
                              const std::function<bool(std::uint64_t)>& progress);

struct StoredTally {
  std::vector<Usage> cells;
  QuotaLimits limits{};
};
struct StoredTallies {
  std::map<InodeId, StoredTally> buckets;  ///< by root
  std::map<QuotaGroupId, QuotaLimits> groups;
};
/// All records of Table::tally. corrupt.
Task<StoredTallies> load_tallies(meta::MetaStore& meta, meta::SnapshotPtr at);
/// Whether every commit so far has kept them.
Task<bool> tallies_hold(meta::MetaStore& meta, meta::SnapshotPtr at);

}  // namespace outcrop::ns
