// What becomes of failed shard writes: the drive leaves the set, and the data counts as safe when
// every drive that is still live has its shard and the payload can be read.
#pragma once
#include <span>

#include "storage/segment/catalogue.h"
#include "storage/segment/context.h"

namespace outcrop::segment {

/// `slots[i]` is the drive of `ops[i]`. Ejects the drives that failed; then ok if at least `least`
/// shards lie on drives that are still live. The ops cover one stripe, record batch, or sync.
Task<> settle(Context& context,
              std::span<const io::IoOp> ops,
              std::span<const drives::Slot> slots,
              unsigned least);

}  // namespace outcrop::segment
