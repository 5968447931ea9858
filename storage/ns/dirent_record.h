// The dirent record: which inode a name leads to, and what a listing shows of it, so that LIST
// reads dirents only.
#pragma once
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/base/result.h"
#include "storage/digest/algorithm.h"
#include "storage/ns/version_id.h"

namespace outcrop::ns {

/// Only files are objects. The others hold no payload; S3 sees the keys below a directory and
/// nothing of the rest.
enum class InodeType : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  fifo = 4,
  socket = 5,
  block_device = 6,
  character_device = 7,
};
constexpr bool is_device(InodeType type) {
  return type == InodeType::block_device || type == InodeType::character_device;
}
/// Has a name and attributes and neither data nor entries: symlinks and special nodes.
constexpr bool is_bare(InodeType type) {
  return type >= InodeType::symlink && type <= InodeType::character_device;
}

struct DirentRecord {
  InodeId ino = 0;
  InodeType type = InodeType::file;
  /// A directory that a PUT made: goes with its last child. All its children are files or implicit
  /// directories, so there is always a key below it. A file client that changes anything in it
  /// makes it, and the directories above it, explicit.
  bool implicit = false;
  // Of files only.
  VersionStamp version{};
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag{};
  digest::Algorithm checksum_algorithm = digest::Algorithm::none;
  digest::ChecksumType checksum_type = digest::ChecksumType::full_object;
  bool operator==(const DirentRecord&) const = default;
};

std::string encode(const DirentRecord& record);
Result<DirentRecord> decode_dirent(std::string_view bytes);

}  // namespace outcrop::ns
