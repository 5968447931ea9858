// Compaction's half of the namespace: what still lives in a segment moves into new extents, packed
// one behind the other, and its owners point there. The content does not change, and neither do
// ETags and times. The segment itself is freed by garbage collection, like any other that nothing
// refers to.
#pragma once
#include "storage/ns/core.h"

namespace outcrop::ns {

/// Moves about `most_bytes` (whole extents; at least one, if there is any) out of the segment; the
/// next call goes on where this one ended. One call at a time. Small records are moved into striped
/// extents, which cost less space: what lives long is worth it. Extents that cannot be read, and
/// parts of uploads that were not completed, stay. Errors of the stores; what was moved before
/// stays moved.
Task<Relocated> relocate(Core& core,
                         SegmentId segment,
                         std::uint64_t most_bytes,
                         segment::Purpose purpose);
/// The same for what parts of uploads have in the segment, `from` a position on, which moves on
/// with it. It reads the records of all parts that there are: for segments that must not stay.
Task<Relocated> relocate_parts(Core& core,
                               SegmentId segment,
                               std::uint64_t most_bytes,
                               PartPosition& from,
                               segment::Purpose purpose);

}  // namespace outcrop::ns
