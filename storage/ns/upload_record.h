// Records of multipart uploads, outside the tree: the upload, and each of its parts, which owns its
// extents under an inode number of its own until the upload is completed.
#pragma once
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/ns/inode_record.h"

namespace outcrop::ns {

struct UploadRecord {
  InodeId ino = 0;  ///< what its parts are keyed by
  std::int64_t created_ns = 0;
  ObjectAttributes attributes{};
  digest::Algorithm checksum_algorithm = digest::Algorithm::none;
  digest::ChecksumType checksum_type = digest::ChecksumType::full_object;
  bool operator==(const UploadRecord&) const = default;
};

struct PartRecord {
  InodeId ino = 0;  ///< the owner of its extents
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag{};
  digest::Checksum checksum{};
  RecordLists lists{};  ///< pieces only
  std::uint32_t tails = 0;
  bool operator==(const PartRecord&) const = default;
};

std::string encode(const UploadRecord& record);
Result<UploadRecord> decode_upload(std::string_view bytes);

EncodedRecord encode(PartRecord record);
std::string encode_main(const PartRecord& record);
Result<PartRecord> decode_part(std::string_view bytes);

}  // namespace outcrop::ns
