// Drives that left, until the mirrors hold all that may be on fewer drives for it: a block that was
// being written then may be acknowledged later, with the copy that went with the drive.
#pragma once
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/drives/drive_set.h"
#include "storage/meta/journal_format.h"

namespace outcrop::meta {

/// Any thread. Sequences are by worker.
class MissedDrives {
 public:
  /// Before a checkpoint looks at what is applied: drives of `now` that are missed and not known
  /// yet are waited for until everything that has been given to drives, `handed`, is in the
  /// mirrors.
  void note(const drives::EpochRecord& now, const std::vector<Sequence>& handed);
  /// The newest record whose drives are not missed any more once the mirrors hold everything up to
  /// `flushed` durably. It stays until settled().
  std::optional<drives::EpochRecord> due(const std::vector<Sequence>& flushed) const;
  /// `record` of due() is dealt with, and all before it.
  void settled(const drives::EpochRecord& record);
  /// What must be in the mirrors before more is due; empty: nothing is waited for.
  std::vector<Sequence> awaited() const;

 private:
  struct Entry {
    drives::EpochRecord seen;
    std::vector<Sequence> handed;
  };
  mutable std::mutex x_mutex;
  std::deque<Entry> x_entries;  // no more than there are slots: each has a drive of its own
};

}  // namespace outcrop::meta
