#include "storage/ns/group_table.h"

#include <utility>

namespace outcrop::ns {

// x_mutex is held.
void GroupTable::join(const Member& member) const {
  const auto at = x_limited.find(member.group);
  const Limited limited = at == x_limited.end() ? Limited{} : at->second;
  member.tally->set_group(limited.sums, limited.bytes);
}

void GroupTable::add(InodeId root, TallyPtr tally) {
  const std::lock_guard lock(x_mutex);
  Member& member = x_members[root];
  member.tally = std::move(tally);
  join(member);
}

void GroupTable::erase(InodeId root) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_members.find(root);
  if (at != x_members.end()) {
    at->second.tally->set_group(nullptr, false);
    x_members.erase(at);
  }
}

void GroupTable::assign(InodeId root, QuotaGroupId group) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_members.find(root);
  if (at != x_members.end() && std::exchange(at->second.group, group) != group) {
    join(at->second);
  }
}

void GroupTable::set_limits(QuotaGroupId group, const QuotaLimits& limits) {
  const std::lock_guard lock(x_mutex);
  if (limits.empty()) {
    x_limited.erase(group);
  } else {
    Limited& limited = x_limited[group];
    if (limited.sums) {
      limited.sums->set_limits(limits);
    } else {
      limited.sums = std::make_shared<TallyGroup>(limits);
    }
    limited.bytes = limits.bytes.has_value();
  }
  for (const auto& [root, member] : x_members) {
    if (member.group == group) {
      join(member);
    }
  }
}

GroupUsage GroupTable::usage(QuotaGroupId group) const {
  const std::lock_guard lock(x_mutex);
  GroupUsage out;
  for (const auto& [root, member] : x_members) {
    if (member.group == group) {
      const BucketUsage bucket = member.tally->usage();
      out.used = out.used + bucket.used;
      out.reserved += bucket.reserved;
      out.counted = out.counted && bucket.counted;
      ++out.buckets;
    }
  }
  if (const auto at = x_limited.find(group); at != x_limited.end()) {
    out.limits = at->second.sums->usage().limits;
  }
  return out;
}

}  // namespace outcrop::ns
