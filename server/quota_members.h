// Whose bucket counts towards whose quota: the accounts of the access table, as groups of the
// namespace.
#pragma once
#include <mutex>
#include <set>
#include <string_view>

#include "auth/access/access_table.h"
#include "storage/ns/quota_groups.h"

namespace outcrop::server {

/// Of the first account, which has no record: the group of whatever nobody assigned. `account`
/// empty: the first.
ns::QuotaGroupId quota_group_of(std::string_view account);

/// Any thread.
class QuotaMembers {
 public:
  /// Before clients come: assigns all buckets that there are.
  QuotaMembers(const access::AccessTable& access, ns::QuotaGroups& groups)
      : x_access(access), x_groups(groups) {
    update();
  }
  /// After each change of the table.
  void update();

 private:
  const access::AccessTable& x_access;
  ns::QuotaGroups& x_groups;
  std::mutex x_mutex;
  std::set<InodeId> x_assigned;  ///< roots of buckets that are not of the first account
};

}  // namespace outcrop::server
