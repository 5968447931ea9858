// The inode record: everything about one file, directory or symlink. The lists (payload pieces,
// parts) move to continuation records when the record would grow beyond kMaxRecordBytes.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/ns/dirent_record.h"
#include "storage/ns/file_system.h"
#include "storage/ns/record_codec.h"

namespace outcrop::ns {

/// Payloads up to this live in the inode record. On disk: lowering it needs no migration.
inline constexpr std::size_t kInlineMax = 2048;

/// What the file view knows of an inode beyond what S3 needs. Absent from what S3 made until a file
/// client changes it; a directory that has it is explicit.
struct PosixAttributes {
  std::uint32_t mode = 0;  ///< 07777
  std::uint32_t uid = kNoOwner, gid = kNoOwner;
  std::uint32_t links = 1;  ///< names; 0: unlinked while it was open, see Table::orphan
  std::int64_t ctime_ns = 0, atime_ns = 0, btime_ns = 0;
  std::optional<std::uint64_t> verifier{};  ///< of the exclusive create that made it
  std::uint32_t xattr_bytes = 0;            ///< names and values in Table::xattr
  /// What a file client sees instead of InodeRecord::mtime_ns, which is when S3 stored it; until
  /// the next change of the bytes or the times.
  std::optional<std::int64_t> mtime_ns{};
  bool operator==(const PosixAttributes&) const = default;
};

/// Of a new inode; every later change takes a number of Core::changes, and those are larger.
inline constexpr std::uint64_t kFirstChange = 1;

struct InodeRecord {
  InodeType type = InodeType::file;
  std::uint64_t change = kFirstChange;  ///< moves with every change of a file or symlink
  InodeId parent = 0;                   ///< back pointer; of a bucket root: inode 1
  std::string name{};  ///< in the parent, with '/' for a directory; of a root: the bucket
  std::int64_t mtime_ns = 0;
  std::uint32_t moves = 0;  ///< positions in directories that it had before: see links.h
  std::optional<PosixAttributes> posix{};
  VersionStamp version{};  ///< of a file in a bucket with versions
  /// It is in Table::version and not in the tree: a version of a file that is not current, or a
  /// directory that holds nothing but such versions and such directories. File clients never see
  /// it, and the bytes of a version never change.
  bool history = false;
  std::string target{};   ///< of symlinks only
  DeviceNumber device{};  ///< of devices only
  // Of files only.
  std::uint64_t size = 0;  ///< of a sealed payload: before it was sealed; stored_size() is the rest
  std::string etag{};
  ObjectAttributes attributes{};
  digest::Checksum checksum{};
  std::string upload_id{};    ///< of the multipart upload that made it, until copied or renamed
  std::string inline_data{};  ///< the payload, if `lists.pieces` is empty
  RecordLists lists{};
  std::uint32_t tails = 0;  ///< continuation records; their lists are not in the main record
  bool operator==(const InodeRecord&) const = default;

  bool sealed() const { return !attributes.envelope.empty(); }
  std::uint32_t links() const { return posix ? posix->links : 1; }
  std::int64_t file_mtime_ns() const {
    return posix ? posix->mtime_ns.value_or(mtime_ns) : mtime_ns;
  }
};

struct EncodedRecord {
  std::string main;
  std::vector<std::string> tails;
};

/// Chooses whether the lists fit; `record.tails` is ignored.
EncodedRecord encode(const InodeRecord& record);
/// The main record as it is: lists if `tails` is 0.
std::string encode_main(const InodeRecord& record);
/// With `tails` > 0 the caller appends that many continuation records (append_tail).
Result<InodeRecord> decode_inode(std::string_view bytes);

}  // namespace outcrop::ns
