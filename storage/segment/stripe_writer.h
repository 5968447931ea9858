// A large payload on its way into (k, m) segments: socket memory is stripe memory, parity is
// computed while the stripe is in cache, writes of one stripe overlap the filling of the next.
#pragma once
#include <memory>
#include <vector>

#include "storage/segment/blob_store.h"
#include "storage/segment/lane.h"
#include "storage/segment/sync_queue.h"

namespace outcrop::segment {

/// What the writers of one worker share.
struct StripeLane {
  StripeLane(Context& c, Allocator& allocator, Purpose purpose)
      : context(c), lane(c, allocator, false, purpose), syncs(c) {}
  Context& context;
  Lane lane;
  SyncQueue syncs;
};

class StripeWriter final : public BlobWriter {
 public:
  StripeWriter(StripeLane& lane, std::uint64_t size_hint);
  ~StripeWriter() override;

  Task<MutBytes> buffer() override;
  Task<> advance(std::size_t n) override;
  Task<std::vector<Extent>> finish() override;

 private:
  struct Write;   // one stripe on its way to the drives
  struct Shared;  // completion state that outlives an abandoned writer

  Task<> begin_stripe();
  Task<> reserve_run();
  Task<> end_stripe();
  Task<> wait_below(std::size_t in_flight);
  void reshape_tail(StripeShape shape);
  void launch(StripeShape shape);
  void close_extent();
  std::uint64_t stripe_filled() const;

  StripeLane& x_lane;
  std::uint64_t x_hint_left;
  const std::uint64_t x_stamp;
  Room x_room;  // the reserved run
  std::uint64_t x_room_used = 0;
  Extent x_extent;  // of the current run
  std::vector<Extent> x_extents;
  std::vector<SegmentPtr> x_segments;  // every segment written to, for sync and pins
  std::vector<PinPtr> x_pins;
  std::vector<Buffer> x_chunks;  // data chunks of the stripe being filled
  std::uint64_t x_chunk_payload = 0;
  std::size_t x_chunk = 0, x_fill = 0;
  bool x_in_stripe = false;
  std::shared_ptr<Shared> x_shared;
};

}  // namespace outcrop::segment
