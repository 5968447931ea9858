// Copies payload out of one segment into new extents, one behind the other, and says where each
// byte is then: what compaction and restriping are made of. One use: copy() what is to move,
// finish(), then moved() for each map.
#pragma once
#include <map>
#include <memory>
#include <utility>

#include "storage/ns/core.h"
#include "storage/ns/piece_map.h"

namespace outcrop::ns {

/// One coroutine.
class PayloadMover {
 public:
  PayloadMover(Core& core, SegmentId segment, segment::Purpose purpose)
      : x_core(core), x_segment(segment), x_purpose(purpose) {}

  /// About so many bytes will be copied. Errors of the store.
  Task<> open(std::uint64_t bytes);
  /// Ranges of an extent do not overlap. False: it cannot be read, and stays. Errors of writing.
  Task<bool> copy(Extent extent, ByteRange range);
  /// What was copied is durable.
  Task<> finish();
  /// The same bytes as `pieces`; those that were not copied are where they were. After finish();
  /// references to the new places are committed while this lives.
  Pieces moved(const Pieces& pieces) const;
  /// Stored anew.
  std::uint64_t bytes() const { return x_position; }

 private:
  struct Moved {
    std::uint64_t length, to;
  };
  Task<> write(ConstBytes bytes);
  void append(Pieces& out, const Piece& piece) const;

  Core& x_core;
  const SegmentId x_segment;
  const segment::Purpose x_purpose;
  std::unique_ptr<segment::BlobWriter> x_writer;  // pins the new segments
  std::uint64_t x_position = 0;                   ///< in the stream of what is copied
  std::map<std::uint64_t, Extent> x_extents;      ///< by position in it
  std::map<std::pair<std::uint64_t, std::uint64_t>, Moved> x_moved;  ///< by extent and offset
};

}  // namespace outcrop::ns
