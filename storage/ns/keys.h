// Where the namespace keeps its records: keys of its tables, and the split of an object key into
// directories and a file name. Byte order of dirent keys is S3 key order (directories carry '/').
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/meta/tables.h"

namespace outcrop::ns {

/// The parent of the bucket roots. It has no record.
inline constexpr InodeId kRootOfBuckets = 1;

void put_be32(std::string& out, std::uint32_t v);
std::uint32_t get_be32(std::string_view in);

std::string bucket_key(std::string_view name);
/// `name` carries a trailing '/' for a directory.
std::string dirent_key(InodeId parent, std::string_view name);
/// First key after all children of `parent`.
std::string dirent_end(InodeId parent);
/// The name in a dirent key of any parent.
std::string_view dirent_name(std::string_view key);
std::string inode_key(InodeId ino);
std::string inode_tail_key(InodeId ino, std::uint32_t index);
std::string part_key(InodeId upload, std::uint32_t number);
std::string part_tail_key(InodeId upload, std::uint32_t number, std::uint32_t index);
/// First key after all parts of the upload.
std::string part_end(InodeId upload);
/// Uploads sort by bucket, then object key, then id (which starts with its creation time).
std::string upload_key(InodeId root, std::string_view key, std::string_view upload_id);
/// What the keys of all uploads of one object key start with, terminator included.
std::string upload_prefix(InodeId root, std::string_view key);
/// What the keys of all uploads start with whose object key starts with `prefix`.
std::string upload_scan_prefix(InodeId root, std::string_view prefix);

/// The names of a file with several: what their keys start with, and each one's.
std::string link_prefix(InodeId ino);
std::string link_key(InodeId ino, InodeId parent, std::string_view name);
/// Where a directory cookie that holds no inode number leads. No link_prefix is such a key.
std::string cookie_key(std::uint64_t cookie);
/// Where an entry was that left a directory in a period of time; the first key of a period.
std::string left_key(std::uint64_t period, InodeId directory, std::uint64_t cookie);
std::string left_period(std::uint64_t period);
std::string orphan_key(InodeId ino);
/// An empty name gives what the keys of all of the inode's attributes start with.
std::string xattr_key(InodeId ino, std::string_view name);

// Table::version. The records of one name stand together, the newest first.
enum class VersionKind : std::uint8_t {
  version = 1,    ///< VersionRecord
  null = 2,       ///< the number of the null version, if that is not the current one
  directory = 3,  ///< the inode of a directory that is in no dirent
};
/// The first key after all those of the directory.
std::string version_end(InodeId directory);
/// What the keys of the name's versions start with. An empty name is a name.
std::string version_prefix(InodeId directory, std::string_view name);
std::string version_key(InodeId directory, std::string_view name, std::uint64_t number);
std::string null_version_key(InodeId directory, std::string_view name);
/// `name` carries its '/'.
std::string history_directory_key(InodeId directory, std::string_view name);
struct VersionKey {
  InodeId directory = 0;
  std::string name;
  VersionKind kind = VersionKind::version;
  std::uint64_t number = 0;  ///< of a version
};
std::optional<VersionKey> parse_version_key(std::string_view raw);

struct UploadKey {
  InodeId root = 0;
  std::string key, upload_id;
};
std::optional<UploadKey> parse_upload_key(std::string_view raw);

/// "x/y/z" -> directory "x/y/", name "z"; the name of "x/" is empty, the directory of "x" too.
struct KeyPath {
  std::string_view directory, name;
};
inline KeyPath split_key(std::string_view key) {
  const std::size_t cut = key.rfind('/') + 1;  // npos + 1 == 0
  return {key.substr(0, cut), key.substr(cut)};
}
/// The first component of a directory path, with its '/'.
inline std::string_view first_component(std::string_view path) {
  return path.substr(0, path.find('/') + 1);
}
/// "x/y/" -> "x/"; "x/" -> "".
inline std::string_view parent_path(std::string_view path) {
  return split_key(path.substr(0, path.size() - 1)).directory;
}
/// "x/y/" -> "y/".
inline std::string_view last_component(std::string_view path) {
  return path.substr(parent_path(path).size());
}

}  // namespace outcrop::ns
