// The last pass of check_tree: what every bucket holds, against its tally. Internal.
#pragma once
#include "storage/ns/check_facts.h"

namespace outcrop::ns {

/// Nothing is compared in a tree with problems, which cannot be counted, or where an older build
/// has written since: the next start counts.
Task<> check_usage(meta::MetaStore& meta, meta::SnapshotPtr at, Pulse& pulse, TreeReport& report);

}  // namespace outcrop::ns
