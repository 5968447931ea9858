// Which bucket is in which group, and the groups that have limits. Any thread; nothing here is
// looked into on the way of a request.
#pragma once
#include <map>
#include <mutex>
#include <unordered_map>

#include "storage/base/ids.h"
#include "storage/ns/quota_groups.h"
#include "storage/ns/tally.h"

namespace outcrop::ns {

class GroupTable {
 public:
  /// A bucket that comes to be, or is found at the start; in group 0 until it is assigned.
  void add(InodeId root, TallyPtr tally);
  void erase(InodeId root);
  void assign(InodeId root, QuotaGroupId group);
  void set_limits(QuotaGroupId group, const QuotaLimits& limits);
  GroupUsage usage(QuotaGroupId group) const;

 private:
  struct Member {
    QuotaGroupId group = 0;
    TallyPtr tally;
  };
  struct Limited {
    TallyGroupPtr sums;
    bool bytes = false;
  };
  void join(const Member& member) const;

  mutable std::mutex x_mutex;
  std::unordered_map<InodeId, Member> x_members;
  std::map<QuotaGroupId, Limited> x_limited;
};

}  // namespace outcrop::ns
