// Limits that several buckets have together, as those of one account: who that is, the caller
// knows. docs/adr/0014-quotas.md. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>

#include "storage/base/task.h"
#include "storage/ns/types.h"

namespace outcrop::ns {

/// 0: every bucket that nobody assigned.
using QuotaGroupId = std::uint64_t;

struct GroupUsage {
  Usage used{};
  std::uint64_t reserved = 0;  ///< as of BucketUsage
  QuotaLimits limits{};
  bool counted = true;  ///< false: of one of its buckets nobody knows what it holds
  std::size_t buckets = 0;
};

class QuotaGroups {
 public:
  virtual ~QuotaGroups() = default;
  /// As Namespace::put_limits. They are kept whether the group has buckets or not.
  virtual Task<> put_limits(QuotaGroupId group, QuotaLimits limits) = 0;
  /// In memory only: of all buckets, at each start before clients come. What a bucket without
  /// record is assigned to has no effect.
  virtual void assign(InodeId root, QuotaGroupId group) = 0;
  /// Exact.
  virtual GroupUsage usage(QuotaGroupId group) const = 0;
};

}  // namespace outcrop::ns
