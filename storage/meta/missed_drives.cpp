#include "storage/meta/missed_drives.h"

#include <algorithm>
#include <functional>

namespace outcrop::meta {
namespace {

bool names(const drives::EpochRecord& record, std::size_t slot, const Uuid& drive) {
  return slot < record.members.size() && record.members[slot].missed &&
         record.members[slot].uuid == drive;
}

}  // namespace

void MissedDrives::note(const drives::EpochRecord& now, const std::vector<Sequence>& handed) {
  const std::lock_guard lock(x_mutex);
  for (std::size_t slot = 0; slot < now.members.size(); ++slot) {
    const drives::Member& member = now.members[slot];
    const bool known = std::ranges::any_of(
        x_entries, [&](const Entry& e) { return names(e.seen, slot, member.uuid); });
    if (member.missed && !known) {
      x_entries.push_back({now, handed});
      return;
    }
  }
}

std::optional<drives::EpochRecord> MissedDrives::due(const std::vector<Sequence>& flushed) const {
  const std::lock_guard lock(x_mutex);
  std::optional<drives::EpochRecord> out;
  for (const Entry& entry : x_entries) {
    if (!std::ranges::equal(entry.handed, flushed, std::less_equal())) {
      break;  // sequences only grow: what is behind it waits for more
    }
    out = entry.seen;
  }
  return out;
}

void MissedDrives::settled(const drives::EpochRecord& record) {
  const std::lock_guard lock(x_mutex);
  while (!x_entries.empty() && x_entries.front().seen.epoch <= record.epoch) {
    x_entries.pop_front();
  }
}

std::vector<Sequence> MissedDrives::awaited() const {
  const std::lock_guard lock(x_mutex);
  return x_entries.empty() ? std::vector<Sequence>() : x_entries.front().handed;
}

}  // namespace outcrop::meta
