// Reads every mirror of the metadata from end to end and compares them record by record.
#pragma once
#include <functional>
#include <vector>

#include "storage/check/report.h"
#include "storage/drives/drive_set.h"
#include "storage/meta/offline_meta.h"

namespace outcrop::check {

/// Of one mirror of OfflineMeta, by its index there.
struct MirrorVerdict {
  bool readable = false;
  std::uint64_t records = 0;
  std::uint64_t different = 0;  ///< from the first readable one
};

/// "drive "/mnt/d1" (slot 1)"
std::string drive_name(const drives::DriveSet& drives, drives::Slot slot);

/// Errors: cancelled, when `go_on` said no. What is wrong with mirrors is in the report.
Task<std::vector<MirrorVerdict>> compare_mirrors(meta::OfflineMeta& meta,
                                                 const drives::DriveSet& drives,
                                                 std::function<bool(std::uint64_t records)> go_on,
                                                 Report& report);

/// Mirrors that did not open or were not brought up to date, and what the journals lack.
void report_losses(const meta::OfflineMeta& meta, const drives::DriveSet& drives, Report& report);

}  // namespace outcrop::check
