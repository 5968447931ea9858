// What the operations on multipart uploads share: finding an upload, its lock, its parts.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/path.h"
#include "storage/ns/transaction.h"
#include "storage/ns/upload_record.h"

namespace outcrop::ns {

struct Upload {
  BucketRecord bucket;
  UploadRecord record;
};
/// no_such_bucket, no_such_upload.
Task<Upload> find_upload(Core& core,
                         std::string_view bucket,
                         std::string_view key,
                         std::string_view upload_id);
/// Under its lock: still there.
Task<bool> confirm_upload(Core& core,
                          std::string_view bucket,
                          std::string_view key,
                          std::string_view upload_id,
                          const Upload& upload);
UploadInfo info_of(std::string_view key, std::string_view upload_id, const UploadRecord& record);

struct Part {
  std::uint32_t number = 0;
  PartRecord record;
};
PartInfo info_of(const Part& part);
/// Parts with number > `after`, complete with continuation records, at most `max`.
Task<std::vector<Part>> load_parts(
    Core& core, InodeId upload, std::uint32_t after, std::size_t max, meta::SnapshotPtr at = {});
/// The part with its references, in the place of `previous` (of the same number, maybe itself with
/// other pieces; null: none).
void put_part(
    Transaction& tx, InodeId root, InodeId upload, const Part& part, const Part* previous);
void erase_part(Transaction& tx, InodeId root, InodeId upload, const Part& part);

/// Under the bucket's exclusive lock.
Task<> abort_all_uploads(Core& core, InodeId root);

/// Hex of the creation time, then of 128 random bits: ids sort by creation.
std::string make_upload_id(Core& core, std::int64_t now_ns);

}  // namespace outcrop::ns
