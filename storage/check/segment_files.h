// The catalogue of segments as committed metadata has it, against the shard files on the drives.
#pragma once
#include <map>

#include "storage/check/report.h"
#include "storage/drives/drive_set.h"
#include "storage/meta/meta_store.h"
#include "storage/segment/format.h"

namespace outcrop::check {

struct SegmentState {
  segment::SegmentRecord record;
  segment::ShardMask present = 0;  ///< files that are there, of the right size
  /// Shards that may lack data, and the store knows it: repair fills them.
  segment::ShardMask holes = 0;
  bool used = false;  ///< something refers to it
};
/// A store has some thousands of segments for each drive: all of them fit.
using Segments = std::map<SegmentId, SegmentState>;

/// Reads the catalogue and the folders of all live drives. Records that make no sense, files that
/// are missing, of the wrong size, or of no segment are in the report. Fails if metadata cannot be
/// read.
Task<Segments> check_segment_files(meta::MetaStore& meta,
                                   const drives::DriveSet& drives,
                                   Report& report);

}  // namespace outcrop::check
