// Parts that several namespace records share on disk: ETags, checksums, attributes, payload pieces.
// Every reader is canonical (accepted bytes re-encode to themselves) and bounds what it allocates.
#pragma once
#include <string>
#include <vector>

#include "storage/base/codec.h"
#include "storage/base/ids.h"
#include "storage/ns/types.h"
#include "storage/ns/version_id.h"

namespace outcrop::ns {

/// A record above this moves its lists to continuation records of at most this size.
inline constexpr std::size_t kMaxRecordBytes = 4096;
/// What attributes may take: beyond it put fails with invalid_argument.
inline constexpr std::size_t kMaxAttributeBytes = 32 << 10;
inline constexpr std::size_t kMaxEtagBytes = 128;
inline constexpr std::size_t kMaxChecksumBytes = 64;
inline constexpr std::size_t kMaxNameBytes = 1024;
inline constexpr std::size_t kMaxListItems = 4096;  ///< pieces or parts in one record

/// `length` payload bytes of an object: those of `extent` from `skip` on. The extent is kept whole
/// because its chunks are verified as one run; a part copied from a range uses only some of it, and
/// several pieces of an object that was written in place may lie in one extent. Without an extent
/// (segment 0, skip 0) the piece is a hole: `length` zero bytes that are nowhere.
struct Piece {
  Extent extent;
  std::uint64_t skip = 0, length = 0;
  bool hole() const { return extent.segment == 0; }
  bool operator==(const Piece&) const = default;
};

/// The lists of a record that may grow without bound.
struct RecordLists {
  std::vector<Piece> pieces{};
  std::vector<PartSummary> parts{};
  bool operator==(const RecordLists&) const = default;
};

void write_etag(Writer& w, std::string_view etag);
std::string read_etag(Reader& r);
void write_checksum(Writer& w, const digest::Checksum& checksum);
digest::Checksum read_checksum(Reader& r);
void write_algorithm(Writer& w, digest::Algorithm algorithm, digest::ChecksumType type);
void read_algorithm(Reader& r, digest::Algorithm& algorithm, digest::ChecksumType& type);
/// Of what has a version number.
void write_stamp(Writer& w, const VersionStamp& stamp);
VersionStamp read_stamp(Reader& r);
void write_attributes(Writer& w, const ObjectAttributes& attributes);
ObjectAttributes read_attributes(Reader& r);
void write_lists(Writer& w, const RecordLists& lists);
RecordLists read_lists(Reader& r);

/// Bytes that the attributes take in a record.
std::size_t attribute_bytes(const ObjectAttributes& attributes);

/// Continuation records: `lists` cut into records of at most kMaxRecordBytes, in order.
std::vector<std::string> encode_tails(const RecordLists& lists);
/// Appends one continuation record to `lists`; false if the bytes are not one.
bool append_tail(std::string_view bytes, RecordLists& lists);

}  // namespace outcrop::ns
