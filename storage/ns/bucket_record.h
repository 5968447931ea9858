// The bucket record (name -> root inode), and the inode counter of the system table.
#pragma once
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/base/result.h"
#include "storage/ns/object_lock.h"
#include "storage/ns/version_id.h"

namespace outcrop::ns {

struct BucketRecord {
  InodeId root = 0;
  std::int64_t created_ns = 0;
  std::string region{};
  Versioning versioning = Versioning::off;
  bool sealing = false;  ///< Namespace::put_sealing
  BucketLock lock{};     ///< enabled: versioning is, too
  bool operator==(const BucketRecord&) const = default;
};

std::string encode(const BucketRecord& record);
Result<BucketRecord> decode_bucket(std::string_view bytes);

/// The first inode number that no boot has reserved.
std::string encode_counter(std::uint64_t next);
Result<std::uint64_t> decode_counter(std::string_view bytes);

}  // namespace outcrop::ns
