// One worker's open segment of one geometry, and the next one, prepared while this one fills: no
// lock and no hop on the append path.
#pragma once
#include <functional>
#include <vector>

#include "storage/segment/allocator.h"

namespace outcrop::segment {

/// Room in an open segment. The holder writes there once; it is not zeroed beforehand.
struct Room {
  SegmentPtr segment;
  std::uint64_t offset = 0;  ///< in each shard file
  std::uint64_t bytes = 0;   ///< of each shard file
};

/// Used on one worker only.
class Lane {
 public:
  Lane(Context& context, Allocator& allocator, bool small, Purpose purpose)
      : x_context(context), x_allocator(allocator), x_small(small), x_purpose(purpose) {}
  ~Lane();

  /// Room for at least `least` and at most `most` bytes of each shard file.
  Task<Room> reserve(std::uint64_t least, std::uint64_t most);
  /// Makes sure the open segment can take `bytes` more; the caller then uses extend() without
  /// suspending in between.
  Task<> ensure(std::uint64_t bytes);
  /// Takes `bytes` right after what is in use. Only after ensure() of as much.
  Room extend(std::uint64_t bytes);
  /// Gives the unused tail of the last room back.
  void give_back(const Room& room, std::uint64_t used);
  const SegmentPtr& current() const { return x_current; }
  std::uint64_t used() const { return x_used; }
  /// Seals what is open on a drive that left or drains, or, for rebalancing, is not aimed at.
  void leave_unusable();
  /// Seals what is open over fewer drives.
  void leave_narrow(std::size_t drives);
  /// Waits for the preparation in flight and seals what is open.
  Task<> close();

 private:
  bool usable(const SegmentPtr& segment) const;
  void leave(const std::function<bool(const SegmentPtr&)>& unfit);
  Task<> next_segment();
  Task<> prepare();
  void prefetch();

  Context& x_context;
  Allocator& x_allocator;
  const bool x_small;
  const Purpose x_purpose;
  SegmentPtr x_current, x_next;
  std::uint64_t x_used = 0;
  bool x_preparing = false;
  Result<void> x_prepared;  // of the last preparation
  std::vector<Resume<void>> x_waiters;
};

}  // namespace outcrop::segment
