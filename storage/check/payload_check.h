// Every extent that committed metadata refers to: whether it lies where a segment has room for it,
// and whether its chunks verify on every drive, or how many are left to rebuild it from.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/check/segment_files.h"
#include "storage/check/shard_reader.h"
#include "storage/ns/check.h"

namespace outcrop::check {

struct PayloadOptions {
  bool read = true;                  ///< false: places only
  io::IoBackend* backend = nullptr;  ///< null: drives are read one after the other
  /// By segment and offset: records that a crash may have left on some of their drives only.
  std::set<std::pair<SegmentId, std::uint64_t>> in_doubt{};
  /// False ends the check with cancelled.
  std::function<bool(std::uint64_t segments)> progress{};
};

/// Fed by check_tree in the order of segments; then finish(). Memory: some thousand extents.
class PayloadCheck final : public ns::ExtentVisitor {
 public:
  PayloadCheck(meta::MetaStore& meta,
               const drives::DriveSet& drives,
               Segments& segments,
               PayloadOptions options,
               Report& report);
  ~PayloadCheck() override;

  Task<> visit(ns::ExtentUser user) override;
  Task<> finish();

 private:
  struct ShardTally {
    std::uint64_t bad = 0, first_bad = 0;
  };
  Task<> enter(SegmentId id);
  Task<> leave();
  Task<> add(const ns::ExtentUser& user);
  void add_rows(const Extent& extent);
  Task<> read_rows();
  void judge(const Row& row);
  void report_damage(segment::ShardMask broken);
  Task<> name_users(const Extent& extent, std::string what);
  Task<> hurt(InodeId owner, const std::string& what);

  meta::MetaStore& x_meta;
  const drives::DriveSet& x_drives;
  Segments& x_segments;
  const PayloadOptions x_options;
  Report& x_report;

  SegmentId x_id = 0;
  SegmentState* x_segment = nullptr;  ///< null: there is none, or none of that number
  std::unique_ptr<ShardReader> x_reader;
  std::uint64_t x_end = 0;  ///< of the extent before
  Extent x_last;
  std::vector<Extent> x_extents;  ///< of x_rows
  std::vector<Row> x_rows;
  std::vector<ShardTally> x_shards;
  std::uint64_t x_row_count = 0;   ///< in this segment so far
  std::set<std::uint32_t> x_lost;  ///< of x_extents, in these rows
  bool x_any_lost = false;
  std::uint64_t x_entered = 0;
  std::set<InodeId> x_named;  ///< owners that a finding names, the first kMaxListed
};

}  // namespace outcrop::check
