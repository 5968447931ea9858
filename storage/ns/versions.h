// Reading Table::version: what a key was before. A version that is not current lies under the inode
// of the key's directory and the key's last component, so it goes where a renamed directory goes.
// A directory whose keys are all gone but have such versions is in no dirent; it hangs in
// Table::version itself ("history directory"), so what is current never meets it.
//
// The order of things at one key: a dirent is newer than all its records here; without a dirent
// (of a file) the newest record is a delete marker, or there is none. There is one null version at
// most, and a pointer to it if it is not current.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/path.h"
#include "storage/ns/version_record.h"

namespace outcrop::ns {

Task<std::optional<VersionRecord>> newest_version(Core& core,
                                                  InodeId directory,
                                                  std::string_view name,
                                                  meta::SnapshotPtr at = {});
/// Of those that are not current.
Task<std::optional<VersionRecord>> find_version(
    Core& core, InodeId directory, std::string_view name, VersionId id, meta::SnapshotPtr at = {});
/// Whether the directory holds records here, more than `but` of them.
Task<bool> has_history(Core& core, InodeId directory, std::size_t but = 0);

Task<std::optional<InodeId>> find_history_directory(Core& core,
                                                    InodeId parent,
                                                    std::string_view name,
                                                    meta::SnapshotPtr at = {});

/// Of a bucket with Object Lock: whether a directory must not move, for the versions below it are
/// those of their keys, and may be locked. It may if it is empty.
Task<bool> keeps_keys(Core& core, InodeId root, InodeId directory);

/// What a client is shown of one key when he asks for a version.
struct FoundVersion {
  ObjectPtr object{};  ///< null: no such version, or a marker
  segment::PinPtr pin{};
  std::optional<VersionRecord> marker{};
};
/// The version, current or not, as one moment had it.
Task<FoundVersion> find_object_version(
    Core& core, InodeId root, std::string_view key, VersionId id, bool pin);
/// The error for a client who asked for it.
std::unexpected<Error> fail_marker(const VersionRecord& marker);
/// For a key that has no object: its newest delete marker.
Task<std::optional<VersionRecord>> find_marker(Core& core, InodeId root, std::string_view key);

}  // namespace outcrop::ns
