// The records of Table::version: what a key was before it became what it is, and the directories
// that nothing is left of but such records. Keys are in keys.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "storage/ns/dirent_record.h"

namespace outcrop::ns {

/// A version that is not current, or a delete marker. Its number is in its key.
struct VersionRecord {
  VersionStamp stamp{};
  bool marker = false;
  /// Of a version: its inode and what listings show of it. Of a marker: only the mtime counts.
  DirentRecord summary{};
  /// Of a version: when it ceased to be current. Empty: the record is older than that field.
  std::optional<std::int64_t> since_ns{};
  bool operator==(const VersionRecord&) const = default;
};

std::string encode(const VersionRecord& record);
Result<VersionRecord> decode_version(std::string_view bytes, std::uint64_t number);

}  // namespace outcrop::ns
