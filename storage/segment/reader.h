// Verified reads: every byte that leaves here matched its checksum and identity, or was rebuilt
// from chunks that did.
#pragma once
#include <vector>

#include "storage/segment/catalogue.h"
#include "storage/segment/context.h"

namespace outcrop::segment {

/// The payload of a whole record. corrupt if no live copy verifies.
Task<Buffer> read_small(Context& context, SegmentPtr segment, Extent extent);
/// Payload [offset, offset + length) of a striped extent. unavailable with fewer than k good chunks
/// of a stripe.
Task<std::vector<Buffer>> read_striped(Context& context,
                                       SegmentPtr segment,
                                       Extent extent,
                                       std::uint64_t offset,
                                       std::uint64_t length);
/// At replay: true if a copy of the record verifies on some live drive; copies that are missing
/// or torn are written again from it, durably.
Task<bool> complete_small(Context& context, SegmentPtr segment, Extent extent);

}  // namespace outcrop::segment
