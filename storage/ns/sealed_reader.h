// Reads a sealed object's plaintext: whole units come from the store, what was asked for goes out.
// For S3 and file clients alike. The object and the pin of its extents are the caller's.
#pragma once
#include "storage/ns/extent_cache.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/sealed.h"

namespace outcrop::ns {

class SealedReader {
 public:
  /// `record` outlives it.
  SealedReader(ExtentCache& extents, const InodeRecord& record, const DataKey& key)
      : x_extents(extents), x_record(record), x_cipher(key, UnitCipher::Direction::open) {}

  /// The first bytes of the range, which is not empty and within the object: up to about 1 MiB.
  /// Errors: corrupt, and those of the store.
  Task<Buffer> read(ByteRange range, ReadAhead ahead = ReadAhead::none);

 private:
  ExtentCache& x_extents;
  const InodeRecord& x_record;
  UnitCipher x_cipher;
};

/// What the range, not empty and within the object, takes of the stored bytes: whole units. Empty:
/// the record contradicts itself.
std::optional<ByteRange> stored_range(const InodeRecord& record, ByteRange range);

/// What the payload of a file takes: as much as its size, or more if it is sealed. Empty: the
/// record contradicts itself.
std::optional<std::uint64_t> stored_size(const InodeRecord& record);

}  // namespace outcrop::ns
