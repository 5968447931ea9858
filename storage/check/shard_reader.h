// Reads the shard files of one segment side by side and says which chunks verify. Changes nothing.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/task.h"
#include "storage/drives/drive_set.h"
#include "storage/io/disk.h"
#include "storage/segment/format.h"

namespace outcrop::check {

/// One chunk row: a small record, or a stripe, at the same place in each shard file.
struct Row {
  std::uint64_t offset = 0;  ///< of the header
  std::uint64_t stamp = 0;
  std::uint32_t length = 0;     ///< payload bytes of each chunk, or of the record
  std::uint32_t extent = 0;     ///< whose: the caller's number
  segment::ShardMask good = 0;  ///< found by ShardReader::read

  std::uint64_t end() const { return offset + segment::kHeaderBytes + length; }
};

class ShardReader {
 public:
  /// Opens what is there of the drives that are live. Blocking.
  ShardReader(const segment::SegmentRecord& record, const drives::DriveSet& drives);
  ~ShardReader();

  /// Shards whose file is open.
  segment::ShardMask open() const { return x_open; }
  /// Fills in `good` of each row; they are in the order of offsets and inside the shard files.
  /// With a backend all drives are read at once; without one, one after the other. Rows whose
  /// chunks cannot be read do not verify.
  Task<> read(std::span<Row> rows, io::IoBackend* backend);
  std::uint64_t chunks() const { return x_chunks; }  ///< that verified
  std::uint64_t bytes() const { return x_bytes; }    ///< payload of them

 private:
  Task<> read_window(std::span<Row> rows, io::IoBackend* backend);
  void check_row(Row& row, unsigned shard, ConstBytes chunk);
  void read_alone(Row& row, unsigned shard);

  const segment::SegmentRecord& x_record;
  const Uuid x_cluster;
  std::array<std::unique_ptr<io::File>, segment::kMaxShards> x_files{};
  segment::ShardMask x_open = 0;
  std::uint64_t x_chunks = 0, x_bytes = 0;
};

}  // namespace outcrop::check
