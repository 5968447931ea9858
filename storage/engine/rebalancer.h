// Lets drives that were added be of use for what is stored already: moves shards from fuller drives
// to emptier ones, and writes anew, wider, what lies over fewer drives than new data does.
// docs/adr/0004-drives-and-repair.md.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/base/clock.h"
#include "storage/drives/drive_set.h"
#include "storage/engine/engine.h"
#include "storage/engine/evacuation.h"
#include "storage/engine/move_run.h"
#include "storage/segment/pace.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

/// Used on one worker, one call at a time; status() on any thread.
class Rebalancer {
 public:
  /// It begins when the drives that take data have been the same for `after_ns`, 0: never. Where
  /// clients cannot write for want of room on enough drives, shards are moved at once. `collect`
  /// frees garbage and returns how many segments that were.
  Rebalancer(segment::SegmentStore& segments,
             ns::TreeNamespace& tree,
             drives::DriveSet& drives,
             const Clock& clock,
             std::int64_t after_ns,
             std::function<Task<>()> checkpoint,
             std::function<Task<std::uint64_t>()> collect);

  /// A segment, or a few shards, if something is due and nothing is degraded or leaves a drive:
  /// that goes first. `busy` is left alone: compaction has it. Errors: cancelled, and what could
  /// not be read or written; the next step goes on behind it. no_space and read_only are not
  /// errors: it waits.
  Task<> step(segment::Pace& pace, SegmentId busy);
  /// All that there is, due or not; what it leaves is garbage. Errors: also no_space and read_only.
  Task<> run();
  /// What it writes anew; 0: nothing.
  SegmentId victim() const { return x_victim.segment; }
  MoveStatus status() const;
  /// Relaxed; for metrics.
  std::uint64_t segments() const { return x_segments_done.load(std::memory_order_relaxed); }
  std::uint64_t shards() const { return x_shards_done.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return x_bytes_done.load(std::memory_order_relaxed); }

 private:
  /// For whoever asks; under the mutex.
  struct Progress {
    MoveState state = MoveState::idle;
    std::int64_t due_ns = 0;                                 ///< steady; while it waits
    std::int64_t began_ns = 0;                               ///< of this run; 0: none
    std::uint64_t segments = 0, shards = 0, bytes_left = 0;  ///< of the last plan
    std::uint64_t done = 0;                                  ///< of this run
    std::uint64_t victim = 0;  ///< moved out of the victim so far; at most its bytes
  };
  bool looks(std::int64_t now);
  bool others_first() const;
  Task<segment::BalancePlan> plan(SegmentId busy);
  Task<> work(segment::BalancePlan plan, segment::Pace& pace);
  Task<> move_shards(std::vector<segment::ShardMove> moves, segment::Pace& pace);
  Task<> widen(const segment::Narrow& narrow, segment::Pace& pace);
  Task<> evacuate(segment::Pace& pace);
  Task<> leave();
  Task<> rest();
  Task<> wait(const segment::BalancePlan& plan, std::int64_t due);
  void put_off(Errc code);
  Task<> begin(const segment::BalancePlan& plan);
  bool runs() const;

  segment::SegmentStore& x_segments;
  drives::DriveSet& x_drives;
  const Clock& x_clock;
  const std::int64_t x_after_ns;
  const std::function<Task<>()> x_checkpoint;
  const std::function<Task<std::uint64_t>()> x_collect;
  std::vector<drives::Slot> x_slots;  ///< that take data
  std::int64_t x_same_since = 0;      ///< steady
  std::int64_t x_next_look = 0;       ///< steady
  std::vector<drives::Slot> x_aim;    ///< what is written anew goes there
  segment::Narrow x_victim;
  Evacuation x_evacuation;
  LeftAlone x_left;
  bool x_frees = false;  ///< there is garbage that is not freed yet
  std::atomic<std::uint64_t> x_segments_done{0}, x_shards_done{0}, x_bytes_done{0};
  mutable std::mutex x_mutex;
  Progress x_progress;
};

}  // namespace outcrop::engine
