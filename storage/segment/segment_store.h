// The BlobStore of this engine: per-worker lanes of open segments, verified reads, and garbage
// collection by committed references.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "storage/meta/companion.h"
#include "storage/segment/allocator.h"
#include "storage/segment/balance.h"
#include "storage/segment/payload_cache.h"
#include "storage/segment/repair.h"
#include "storage/segment/small_log.h"
#include "storage/segment/stripe_writer.h"

namespace outcrop::segment {

class SegmentStore final : public BlobStore, public meta::CommitCompanion {
 public:
  SegmentStore(drives::DriveSet& drives,
               BlockingPool& pool,
               Random& random,
               std::vector<asio::io_context*> workers,
               std::vector<io::IoBackend*> backends,
               std::uint64_t shard_bytes,
               std::uint64_t cache_bytes);
  ~SegmentStore() override;

  /// Loads the catalogue and the spares and takes shard files of no segment back. After the
  /// metadata is open, before the first read or write.
  Task<> open();
  /// Seals what this worker has open. On each worker, when nothing writes any more.
  Task<> close_worker();
  /// Frees sealed segments that no committed reference names; returns how many. `checkpoint` is
  /// awaited before their files are reused: replay must not look for a payload, of a transaction
  /// before it, in a file that holds something else by then.
  Task<std::uint64_t> collect(const std::function<Task<>()>& checkpoint);
  /// Who is asked for room before a write is refused for want of it; see Context. Before the first
  /// write.
  void ask_for_room(std::function<Task<bool>()> make_room) {
    x_context.make_room = std::move(make_room);
  }

  struct Usage {
    std::uint64_t live = 0;      ///< payload bytes that are referred to
    std::uint64_t capacity = 0;  ///< of payload, about: full it has as much, for the rest was small
    std::uint64_t taken = 0;     ///< bytes of shard files
    std::size_t references = 0;
    bool small = false;
  };
  /// How much of a segment is in use, by its references; reads all of them. Empty: it is open, or
  /// gone.
  Task<std::optional<Usage>> usage(SegmentId id);
  /// What a byte of payload takes on the drives if it is striped now. Empty: nothing is written.
  std::optional<double> stripe_cost() const;
  /// In order of ids.
  std::vector<SegmentId> sealed() const;
  /// One pass: closes segments, repairs what is degraded or to move, removes what has moved; see
  /// Repairer. Runs on worker 0. Returns the number of segments that it brought on.
  struct PassResult {
    std::uint64_t whole = 0, blocked = 0, damaged = 0, failed = 0;
  };
  Task<PassResult> repair(Pace& pace,
                          std::uint64_t now_seconds,
                          const std::function<Task<>()>& checkpoint);
  /// Reads all of the segments that are due, `most` at most, and repairs them; see Repairer::due.
  Task<PassResult> scrub(Pace& pace,
                         std::uint64_t now_seconds,
                         std::uint64_t period_seconds,
                         std::size_t most = SIZE_MAX);
  /// Rewrites what readers found damaged since the last call. Runs on worker 0.
  Task<> repair_noted(Pace& pace);
  Survey survey() const { return x_repairer.survey(); }

  /// How data lies over the drives; what is `garbage` counts as free. Errors: a drive left
  /// meanwhile.
  Task<Balance> balance(std::set<SegmentId> garbage);
  /// plan_balance(), which may take a while, on the pool.
  Task<BalancePlan> plan(Balance balance, bool runs);
  /// Over which drives what is written for Purpose::rebalance goes; what is open for others, and
  /// narrower, is sealed. Worker 0.
  Task<> aim(std::vector<drives::Slot> slots);
  /// Seals what this worker has open for Purpose::rebalance.
  Task<> end_aim() { return mine().rebalance.lane.close(); }
  /// Moves shards of whole segments, in this order, until one cannot be moved now. Errors are those
  /// of Repairer::repair; what was moved before stays moved. Worker 0. The number of shards.
  Task<std::uint64_t> move_shards(std::vector<ShardMove> moves,
                                  Pace& pace,
                                  std::uint64_t now_seconds,
                                  const std::function<Task<>()>& checkpoint);

  /// A drive is out: nothing is appended to segments on it any more, what it lacks is on record,
  /// and its files are closed where nobody is at them. To be called again until Disk::released().
  /// Worker 0.
  Task<> let_go(drives::Slot slot, std::uint64_t now_seconds);
  /// A drive is about to be live again: which of its files still belong to segments; the others
  /// become spares. DriveSet::TakeStock. Blocking.
  Result<void> take_back(drives::Slot slot, const std::function<void()>& show);
  /// Ends the returning of drives, if what they missed is on record. Worker 0.
  Task<> settle_returning() { return x_repairer.settle_returning(); }

  struct Counts {
    std::uint64_t open = 0, sealed = 0;
  };
  Counts counts() const;
  /// Shard files that no segment has yet. Where nobody fills it, who needs one waits until it is
  /// zeroed.
  drives::Stock& spares() { return x_spares; }
  /// Gives shard files that hold no segment back where metadata runs out of room. Blocking.
  Result<void> trim_spares(drives::Slot slot) { return x_spares.trim(slot); }
  /// What clients can still have of the drive: shard files that hold no segment, and what more
  /// fits, without what is kept for metadata and upkeep. Blocking.
  Result<std::uint64_t> client_bytes(drives::Slot slot) const;
  /// Bytes of the drive's shard files that hold no segment.
  std::uint64_t spare_bytes(drives::Slot slot) const;
  const SegmentStats& stats() const { return x_context.stats; }
  PayloadCache::Counts cache_counts() const { return x_cache.counts(); }

  // BlobStore
  Task<Placed> place_small(ConstBytes payload) override;
  Task<std::unique_ptr<BlobWriter>> open_writer(std::uint64_t size_hint, Purpose purpose) override;
  Task<std::vector<Buffer>> read(Extent extent,
                                 std::uint64_t offset,
                                 std::uint64_t length,
                                 Purpose purpose) override;
  ReadUnit read_unit(const Extent& extent, std::uint64_t offset) override;
  PinPtr pin(std::span<const Extent> extents) override;
  PinPtr pin_segment(SegmentId segment) override;

  // meta::CommitCompanion
  void attach(meta::MetaStore& store) override;
  Result<std::vector<io::IoOp>> take_pending(unsigned worker) override;
  Task<> finished(unsigned worker, std::span<io::IoOp> ops) override;
  Task<bool> verify_and_complete(const Extent& extent) override;

 private:
  struct WorkerState {
    SmallLog small;
    StripeLane large, upkeep, rebalance;
    WorkerState(Context& c, Allocator& a)
        : small(c, a),
          large(c, a, Purpose::client),
          upkeep(c, a, Purpose::upkeep),
          rebalance(c, a, Purpose::rebalance) {}
    StripeLane& lane(Purpose purpose) {
      return purpose == Purpose::client ? large : purpose == Purpose::upkeep ? upkeep : rebalance;
    }
  };
  WorkerState& mine() { return *x_workers[worker_index()]; }
  Task<SegmentPtr> find(SegmentId id);
  Task<> load_catalogue();
  Result<void> adopt_files(drives::Slot slot);
  Result<void> take_stock();
  Task<bool> unreferenced(const Segment& segment);
  Task<bool> give_up_if_dead(SegmentPtr segment);
  Task<bool> dead_and_gone(SegmentPtr segment, std::uint64_t epoch);
  Task<> close_segments(std::uint64_t now_seconds);
  Task<> work_on(std::vector<SegmentPtr> segments,
                 RepairMode mode,
                 Pace& pace,
                 std::uint64_t now_seconds,
                 PassResult& out);
  Task<> leave_unusable();
  Task<> finish_moves(const std::function<Task<>()>& checkpoint);
  Result<void> recycle(Segment& segment);
  Task<> reclaim(const std::vector<SegmentPtr>& interrupted);
  Task<std::uint64_t> used_bytes(const Segment& segment);
  Result<void> trim(const Segment& segment, std::uint64_t used);

  Context x_context;
  Catalogue x_catalogue;
  PayloadCache x_cache;
  SparePool x_spares;
  Allocator x_allocator;
  Repairer x_repairer;
  std::vector<std::unique_ptr<WorkerState>> x_workers;
};

}  // namespace outcrop::segment
