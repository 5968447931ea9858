// Whole records of up to kSmallMax bytes, appended to (1, m) segments and written with the journal
// block that makes them visible. One per worker; used on that worker only.
#pragma once
#include <vector>

#include "storage/segment/lane.h"

namespace outcrop::segment {

class SmallLog {
 public:
  SmallLog(Context& context, Allocator& allocator)
      : x_context(context), x_lane(context, allocator, true, Purpose::client) {}

  Task<Placed> place(ConstBytes payload);
  /// The writes of everything placed since the last call: one durable write per run and drive.
  /// io_error when a run has no live drive left: then none is written, and all of them are dropped.
  Result<std::vector<io::IoOp>> take_pending();
  /// Their results; ejects drives that failed. One take_pending() at a time is in flight.
  Task<> finished(std::span<io::IoOp> ops);
  void leave_unusable() { x_lane.leave_unusable(); }
  Task<> close() { return x_lane.close(); }

 private:
  /// Records that lie side by side in one segment and go out in one write.
  struct Run {
    SegmentPtr segment;
    PinPtr pin;  // until the write is done, also of records that no transaction came for
    std::uint64_t offset = 0;  // in the shard files; a multiple of 4 KiB
    Buffer buffer;
    std::size_t used = 0;
  };
  Run* tail(std::uint64_t bytes);
  void write_record(Run& run, ConstBytes payload, Extent& extent);

  Context& x_context;
  Lane x_lane;
  std::vector<Run> x_pending;
  std::vector<Run> x_in_flight;
  std::vector<drives::Slot> x_slots;  // of the ops in flight
  std::vector<std::size_t> x_counts;  // ops per run in flight
};

}  // namespace outcrop::segment
