// One change of a file's content, as a transaction sees it: bytes that are to be stored with it,
// pieces that are stored already, and a new size. Where the content then lives (in the record, in
// its old extents, in a new one) is decided here, for flushes, truncations, holes and clones alike.
#pragma once
#include <memory>
#include <vector>

#include "storage/ns/dirty_runs.h"
#include "storage/ns/piece_map.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {

/// Some pieces at a position of the file.
struct PlacedPieces {
  std::uint64_t offset = 0;
  Pieces pieces;
};

/// At most so many bytes ride with a transaction; more are stored before it (PayloadStream). An
/// inline payload may have to move out with them.
inline constexpr std::uint64_t kMaxRiding = segment::kSmallMax - kInlineMax;

struct FileChange {
  std::vector<PlacedBytes> bytes;    ///< ascending, no overlaps, at most kMaxRiding altogether
  std::vector<PlacedPieces> pieces;  ///< the same; none overlaps `bytes`
  std::uint64_t size = 0;            ///< of the file afterwards
};

struct ContentStamp {
  std::uint64_t change = 0;
  std::uint64_t content = 0;  ///< the change that made the bytes what they are; names the ETag
  std::int64_t mtime_ns = 0, ctime_ns = 0;
};
/// For a change that happens now.
ContentStamp stamp_now(Core& core);

/// What every change of content does to a record but for the payload itself: size, ETag, times and
/// change; what S3 knew of the old content goes, and the retention of the bucket counts anew.
/// object_locked: the version keeps its bytes, a new one must be begun first.
Result<void> mark_content(Core& core,
                          Object& object,
                          std::uint64_t size,
                          const ContentStamp& stamp);

/// Puts the change, and all records of the inode, into the transaction. `after` is `before` with
/// its new attributes (mark_content); gets the payload. Call it last: what it places rides with
/// the commit, nothing may suspend between its return and that.
Task<> put_change(
    Core& core, Transaction& tx, const Object& before, Object& after, FileChange change);

/// Bytes that are stored ahead of the transaction, in one striped stream.
class PayloadStream {
 public:
  /// Ascending, no overlaps, not empty.
  static Task<PayloadStream> store(Core& core, const std::vector<PlacedBytes>& bytes);
  PayloadStream(PayloadStream&&) = default;
  PayloadStream& operator=(PayloadStream&&) = default;

  /// The pieces for some of the bytes: each range lies within one of those that were stored.
  std::vector<PlacedPieces> pieces_of(const std::vector<PlacedBytes>& ranges) const;

 private:
  PayloadStream() = default;
  struct Stored {
    std::uint64_t offset, at;  ///< in the file, in the payload
  };
  std::vector<Stored> x_stored;
  Pieces x_payload;
  std::unique_ptr<segment::BlobWriter> x_writer;  ///< pins the segments
};

std::uint64_t total_bytes(const std::vector<PlacedBytes>& bytes);

}  // namespace outcrop::ns
