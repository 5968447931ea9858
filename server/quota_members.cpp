#include "server/quota_members.h"

#include <charconv>
#include <limits>
#include <utility>

namespace outcrop::server {
namespace {

constexpr ns::QuotaGroupId kFirst = 0, kNobodys = std::numeric_limits<ns::QuotaGroupId>::max();

}  // namespace

ns::QuotaGroupId quota_group_of(std::string_view account) {
  ns::QuotaGroupId number = kFirst;
  const char* const end = account.data() + account.size();
  const auto [at, error] = std::from_chars(account.data(), end, number);
  return account.empty() || (error == std::errc() && at == end) ? number : kNobodys;
}

void QuotaMembers::update() {
  const std::lock_guard lock(x_mutex);
  std::set<InodeId> assigned;
  for (const auto& [name, bucket] : *x_access.snapshot()) {
    if (const ns::QuotaGroupId group = quota_group_of(bucket->account); group != kFirst) {
      x_groups.assign(bucket->root, group);
      assigned.insert(bucket->root);
      x_assigned.erase(bucket->root);
    }
  }
  for (const InodeId root : x_assigned) {
    x_groups.assign(root, kFirst);
  }
  x_assigned = std::move(assigned);
}

}  // namespace outcrop::server
