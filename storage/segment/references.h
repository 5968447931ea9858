// Where the committed references to a segment are in the metadata, in order of offsets. Internal.
#pragma once
#include <string>

#include "storage/base/codec.h"
#include "storage/meta/tables.h"

namespace outcrop::segment {

/// What the keys of all references to a segment start with; see meta::extent_ref_key.
inline std::string references_of(SegmentId id) {
  std::string key(1, static_cast<char>(meta::Table::extent_ref));
  put_be64(key, id);
  return key;
}

/// Lies before all references to what starts at `offset` or behind it.
inline std::string references_from(SegmentId id, std::uint64_t offset) {
  std::string key = references_of(id);
  put_be64(key, offset);
  return key;
}

/// The offset in the shard files of what a reference is to.
inline std::uint64_t offset_of_reference(std::string_view key) {
  return get_be64(key.substr(1 + sizeof(SegmentId)));
}

}  // namespace outcrop::segment
