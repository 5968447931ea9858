// The inode record: everything about one file or directory but its name. The lists (payload pieces,
// parts) move to continuation records when the record would grow beyond kMaxRecordBytes.
#pragma once
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/ns/dirent_record.h"
#include "storage/ns/record_codec.h"

namespace outcrop::ns {

/// Payloads up to this live in the inode record. On disk: lowering it needs no migration.
inline constexpr std::size_t kInlineMax = 2048;

struct InodeRecord {
  InodeType type = InodeType::file;
  std::uint64_t change = 1;  ///< moves with every change of the record
  InodeId parent = 0;        ///< back pointer; of a bucket root: inode 1
  std::string name{};        ///< in the parent, with '/' for a directory; of a root: the bucket
  std::int64_t mtime_ns = 0;
  // Of files only.
  std::uint64_t size = 0;
  std::string etag{};
  ObjectAttributes attributes{};
  digest::Checksum checksum{};
  std::string upload_id{};    ///< of the multipart upload that made it, until copied or renamed
  std::string inline_data{};  ///< the payload, if `lists.pieces` is empty
  RecordLists lists{};
  std::uint32_t tails = 0;  ///< continuation records; their lists are not in the main record
  bool operator==(const InodeRecord&) const = default;
};

struct EncodedRecord {
  std::string main;
  std::vector<std::string> tails;
};

/// Chooses whether the lists fit; `record.tails` is ignored.
EncodedRecord encode(InodeRecord record);
/// The main record as it is: lists if `tails` is 0.
std::string encode_main(const InodeRecord& record);
/// With `tails` > 0 the caller appends that many continuation records (append_tail).
Result<InodeRecord> decode_inode(std::string_view bytes);

}  // namespace outcrop::ns
