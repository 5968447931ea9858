// The tallies of buckets and their limits as the operations use them: read and, in a store of an
// older build, counted at the start; limits set; a payload judged before it comes.
#pragma once
#include <functional>

#include "storage/ns/core.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

/// Fills Core::tallies, before anything else changes the tree. False: they had to be counted, and
/// the store takes no writes, so that the next start has to count.
Task<bool> open_tallies(Core& core);
/// Of a bucket that comes to be.
void add_tally(Core& core, InodeId root);
void drop_tally(Core& core, InodeId root);
/// The transaction that erases a bucket's record: its cells and limits go with it.
Task<> commit_without_tally(Core& core, Transaction& tx, InodeId root);

Task<BucketUsage> get_usage(Core& core, std::string_view bucket);
Task<std::vector<BucketUsage>> list_usage(Core& core);
Task<> put_limits(Core& core, std::string_view bucket, QuotaLimits limits);
Task<> put_group_limits(Core& core, QuotaGroupId group, QuotaLimits limits);

/// What the drives have, or as much of it as the bucket and its group may use.
FileSystemSpace space_of(const Core& core, InodeId root);

/// Before a payload is read, if its size is known: quota_exceeded if it cannot be stored, whatever
/// it replaces. What passes here is judged again with its commit.
Task<> check_quota(Core& core,
                   const BucketRecord& bucket,
                   std::string_view key,
                   const WriteOptions& options);

}  // namespace outcrop::ns
