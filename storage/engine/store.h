// The Engine of this folder: owns the parts, runs their background work, closes them in order.
#pragma once
#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "storage/drives/drive_set.h"
#include "storage/drives/stock.h"
#include "storage/engine/compactor.h"
#include "storage/engine/engine.h"
#include "storage/engine/fair_pace.h"
#include "storage/engine/garbage_collector.h"
#include "storage/engine/hang_judge.h"
#include "storage/engine/periodic.h"
#include "storage/engine/rebalancer.h"
#include "storage/engine/restriper.h"
#include "storage/engine/return_policy.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/ns/make_namespace.h"
#include "storage/segment/segment_store.h"

namespace outcrop::engine {

/// What a drive must have: journals, the index, and some segments for each worker.
inline constexpr std::uint64_t kLeastDrive = 48ULL << 20;
/// invalid_argument, with what to do, for a drive that is too small for a store. Blocking.
Result<void> check_size(io::Disk& disk);

class Store final : public Engine {
 public:
  Store(EngineConfig config, EngineRuntime runtime, std::unique_ptr<drives::DriveSet> drives);
  ~Store() override;

  /// Replays the journal, loads the catalogue, opens the namespace, starts background work.
  Task<> start();

  ns::Namespace& ns() override { return *x_ns; }
  ns::FileSystem& files() override { return x_ns->files(); }
  ns::QuotaGroups& quota_groups() override { return x_ns->quota_groups(); }
  meta::MetaStore& meta() override { return *x_meta; }
  EngineStats stats() override;
  Task<> close() override;
  void resume() override;
  Task<std::uint64_t> collect_garbage() override;
  Task<> compact(double garbage) override;
  Task<unsigned> add_drive(std::unique_ptr<io::Disk> disk,
                           std::optional<unsigned> replaces) override;
  Task<> drain_drive(unsigned slot, bool on) override;
  Task<> remove_drive(unsigned slot) override;
  Task<std::uint64_t> repair() override;
  Task<> restripe() override;
  Task<> rebalance() override;
  Task<> scrub(std::uint64_t period_seconds) override;
  Task<> judge_drives() override;
  Task<> eject_given_up() override;
  Task<> look_for_drives() override;
  /// Drives that were blank at the start: they join. After start().
  Async<> adopt_blank(std::vector<std::unique_ptr<io::Disk>> disks);

 private:
  void add_job(std::chrono::milliseconds pause, std::string what, std::function<Task<>()> step);
  void start_collector();
  void start_background();
  void start_upkeep();
  Result<void> check_drain(drives::Slot slot, std::size_t joining) const;
  /// Something that close() waits for. Worker 0.
  class Operation;
  Task<> repair_step();
  SegmentId being_rewritten() const;
  Task<> rebuild_step();
  Task<> look_after_leaving();
  /// A slot that nothing is on any more.
  Task<> forget(drives::Slot slot);
  Task<> scrub_metadata(std::uint64_t period_seconds);
  std::uint64_t now_seconds() const;
  RepairStatus repair_status(const segment::Survey& survey) const;
  void judge(DriveStatus& drive,
             const segment::Survey& survey,
             const drives::EpochRecord& record) const;
  Task<> check_drives();
  void start_judges();
  void ask_drive(unsigned slot, std::shared_ptr<std::atomic<bool>> answered);
  /// A directory that holds a drive of the store which is away.
  struct Sighting {
    drives::Slot slot = 0;
    std::unique_ptr<io::Disk> disk;
  };
  std::vector<drives::Slot> note_who_is_away(const drives::EpochRecord& record, std::int64_t now);
  void tell_absence(const drives::EpochRecord& record, std::int64_t now);
  std::vector<std::string> names_in_use(bool unreleased);
  std::vector<Sighting> sight(const std::vector<std::string>& in_use);
  Task<bool> let_go(drives::Slot slot);
  Task<> take_back_due(const drives::EpochRecord& record, std::vector<drives::Slot> away);
  Task<> take_back(Sighting seen, const Uuid& drive);
  Task<> look_for_start();
  Task<> close_parts();
  Task<> load_time();
  Task<> keep_time(std::int64_t most_ns);
  Task<> measure_space();
  Task<> compact_full_metadata();
  Task<> compaction_step();

  const EngineConfig x_config;
  const EngineRuntime x_runtime;
  std::unique_ptr<drives::DriveSet> x_drives;
  segment::SegmentStore x_segments;
  std::unique_ptr<meta::JournaledMetaStore> x_meta;
  std::unique_ptr<ns::TreeNamespace> x_ns;
  std::mutex x_space_mutex;
  std::array<io::Space, drives::kMaxDrives> x_space{};  ///< as last measured, by slot
  HangJudge x_judge;                                    ///< worker 0
  ReturnPolicy x_returns;                               ///< worker 0
  std::map<drives::Slot, std::string> x_absence;        ///< what is told of it; x_space_mutex
  std::vector<std::unique_ptr<io::Disk>> x_stuck;       ///< looked at, and not released yet
  std::set<std::string> x_copies;                       ///< names of drives that were complained of
  unsigned x_good_looks = 0;  ///< one after the other that found all for a start with writes
  bool x_restart_asked = false;
  std::int64_t x_opened_ns = 0;
  std::atomic<std::uint64_t> x_total_bytes{0}, x_free_bytes{0};  ///< after erasure coding
  std::atomic<bool> x_metadata_full{false}, x_closing{false};
  bool x_read_only = false;  ///< until resume(); worker 0
  std::atomic<std::int64_t> x_clock_behind_ns{0};
  bool x_time_loaded = false;  ///< what is kept may be written anew; worker 0
  std::int64_t x_kept_time_ns = 0;
  std::uint64_t x_compacted_at = 0;  ///< transactions committed before the last rewrite
  std::optional<GarbageCollector> x_collector;
  std::optional<Compactor> x_compactor;
  std::optional<Restriper> x_restriper;
  std::optional<Rebalancer> x_rebalancer;
  std::list<drives::StockFiller> x_fillers;
  std::vector<std::unique_ptr<Periodic>> x_jobs, x_judges;
  unsigned x_operations = 0;  ///< of the caller's, under way
  Resume<void> x_operations_ended;

  std::optional<FairPace> x_pace;
  std::array<std::atomic<bool>, drives::kMaxDrives> x_empty{};  ///< drained; by slot
  std::atomic<std::int64_t> x_repair_began_ns{0};               ///< steady; 0: no run of repair
  std::atomic<std::uint64_t> x_moved_before{0};  ///< SegmentStats::moved_bytes when it began
  std::uint64_t x_repaired_epoch = 0;
  std::int64_t x_retry_ns = 0;
  std::optional<std::uint64_t> x_metadata_verified;  ///< Unix seconds; empty: not looked up yet
};

}  // namespace outcrop::engine
