// Writes anew, over the drives that are left, what segments hold that lack a drive and that no
// drive can complete: large objects lie over all drives, and where none is added they would keep
// the parity that is left for good. docs/adr/0004-drives-and-repair.md.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "storage/base/clock.h"
#include "storage/drives/drive_set.h"
#include "storage/engine/engine.h"
#include "storage/engine/evacuation.h"
#include "storage/engine/move_run.h"
#include "storage/segment/pace.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

/// Used on one worker, one call at a time; status() on any thread.
class Restriper {
 public:
  /// A drive that is missing gets `after_ns` to come back or to be replaced, 0: all the time; what
  /// drains goes on purpose. `room`: whether so much is free that clients do not miss it.
  Restriper(segment::SegmentStore& segments,
            ns::TreeNamespace& tree,
            drives::DriveSet& drives,
            const Clock& clock,
            std::int64_t after_ns,
            std::function<bool()> room);

  /// A segment, if one is due; garbage collection frees it. `busy` is left alone: compaction has
  /// it. Errors: cancelled, and what could not be read or written; the next step goes on behind it.
  /// no_space and read_only are not errors: it waits.
  Task<> step(segment::Pace& pace, SegmentId busy);
  /// All that there is, due or not, whatever room it takes. Errors: also no_space and read_only.
  Task<> run();
  /// What it is at; 0: nothing.
  SegmentId victim() const { return x_victim.segment; }
  MoveStatus status(const segment::Survey& survey) const;
  /// Relaxed; for metrics.
  std::uint64_t segments() const { return x_segments_done.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return x_bytes_done.load(std::memory_order_relaxed); }

 private:
  /// For whoever asks; under the mutex.
  struct Progress {
    MoveState state = MoveState::idle;
    std::int64_t due_ns = 0;    ///< steady; while it waits
    std::int64_t began_ns = 0;  ///< of this run; 0: none
    std::uint64_t done = 0;     ///< Stranded::bytes of what is done in this run
    std::uint64_t victim = 0;   ///< moved out of the victim so far; at most its Stranded::bytes
    LeftAlone left;
  };
  bool note_losses(std::int64_t now);
  std::optional<std::int64_t> due() const;
  bool choose(SegmentId busy, bool at_once);
  void begin();
  void rest(MoveState state, std::int64_t due_ns = 0);
  Task<bool> move(std::uint64_t most_bytes);
  Task<> move_all(segment::Pace& pace, bool needs_room);
  Task<> leave();
  void end(bool all);

  segment::SegmentStore& x_segments;
  drives::DriveSet& x_drives;
  const Clock& x_clock;
  const std::int64_t x_after_ns;
  const std::function<bool()> x_room;
  std::map<Uuid, std::int64_t> x_lost;  ///< drives that are away, since when
  segment::Stranded x_victim;
  Evacuation x_evacuation;
  std::atomic<std::uint64_t> x_segments_done{0}, x_bytes_done{0};
  mutable std::mutex x_mutex;
  Progress x_progress;
};

}  // namespace outcrop::engine
