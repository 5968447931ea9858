// The m+1 mirrors of the metadata: one is read and updated before a commit is acked, the others
// follow from the same stream, many blocks at a time. A mirror that fails leaves the set; a lost
// one is built anew.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/base/async.h"
#include "storage/meta/config.h"
#include "storage/meta/mirror.h"

namespace outcrop::meta {

/// Thread-safe. Calls marked "blocking" are for start-up and the blocking pool.
class MirrorSet {
 public:
  /// `alert` is called on any thread when a mirror has failed or a drive has left: maintain() is
  /// wanted. It must not block.
  MirrorSet(drives::DriveSet& drives,
            BlockingPool& pool,
            const MetaConfig& config,
            std::function<void()> alert);
  ~MirrorSet();

  /// Opens the mirrors of the newest epoch, or creates them if no store was ever created here.
  /// Blocking. Errors: unavailable when none of them opens.
  Result<void> open();
  /// The open mirrors, before start(); replay brings each of them up to date.
  const std::vector<std::shared_ptr<Mirror>>& opened() const { return x_opened; }
  struct Loss {
    drives::Slot slot = 0;
    Error why;
  };
  /// Mirrors that did not open, or that were discarded. Start-up only.
  const std::vector<Loss>& losses() const { return x_losses; }
  /// Forgets a mirror that replay cannot bring up to date.
  void discard(const std::shared_ptr<Mirror>& mirror, const Error& why);
  /// The first opened mirror serves, the others follow. Publishes the set if it shrank. Blocking.
  Result<void> start();

  /// The mirror to read; null when none is left or while another one takes over.
  std::shared_ptr<Mirror> reader() const;
  /// Changes whenever reader() does, so that workers can keep a copy.
  std::uint64_t version() const { return x_version.load(std::memory_order_acquire); }

  /// Makes the updates of one durable journal block visible. Runs on a worker; waits while a
  /// follower lags too far. Errors: unavailable when no mirror is left.
  Task<> apply(Updates updates);
  /// `mirror` failed while it was used: returns when reader() is another one. Errors: unavailable.
  Task<> replace(std::shared_ptr<Mirror> mirror, Error why);

  /// Brings everything applied before the call to stable storage on every mirror. Blocking.
  Result<void> flush();
  /// Rewrites every mirror's files without what is gone: RocksIndex::compact. Blocking, for long.
  Result<void> compact(std::atomic<bool>& cancelled);
  /// Reads all of every mirror and checks it; one that is damaged leaves the set. Blocking.
  void verify();
  /// Takes failed mirrors out of the set and builds missing ones on other drives. Blocking.
  void maintain();
  /// The drives whose mirrors are to move because they have too little room and another drive has
  /// enough; each call replaces what the one before said. True if that is news. Any thread.
  bool crowd(const std::vector<drives::Slot>& slots);
  /// Stops a rebuild in progress; maintain() does nothing from here on.
  void stop() { x_stopping.store(true); }

  unsigned size() const;
  /// True if a mirror is on the drive, also one that is being built or has failed and is in use.
  bool has(drives::Slot slot) const;
  std::uint64_t memory_bytes() const;
  std::uint64_t file_bytes() const;  ///< of the largest one
  std::uint64_t rebuilt() const { return x_rebuilt.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return x_lost.load(std::memory_order_relaxed); }

 private:
  IndexOptions options() const;
  Result<void> create_all();
  Result<void> open_existing();
  std::vector<std::shared_ptr<Mirror>> all() const;
  Async<Result<bool>> apply_to(const std::shared_ptr<Mirror>& reader, const Updates& updates);
  void drop_failed_locked();
  Result<void> promote();
  void remove_failed();
  void eject_failed();
  Result<void> leave_if_failing(drives::Slot slot, const Error& why);
  Result<void> publish_locked();
  void bury();
  /// Its mirror is to be on another drive: it drains, or has too little room.
  bool unwanted(drives::Slot slot) const;
  void leave_unwanted();
  std::size_t settled_mirrors() const;
  bool rebuild_one();
  std::optional<drives::Slot> choose_slot() const;
  bool copy_into(const std::shared_ptr<Mirror>& source, const std::shared_ptr<Mirror>& joiner);
  Result<void> join(const std::shared_ptr<Mirror>& joiner);
  void push(const std::shared_ptr<Mirror>& mirror, const Updates& updates);
  bool gather_locked(const Updates& updates);
  void spill_on_pool();
  void spill_ordered();
  bool must_wait(bool patient);
  Async<> wait_for_followers();

  drives::DriveSet& x_drives;
  BlockingPool& x_pool;
  MetaConfig x_config;
  std::function<void()> x_alert;
  std::shared_ptr<IndexCache> x_cache;
  std::vector<std::shared_ptr<Mirror>> x_opened;
  std::vector<Loss> x_losses;

  std::mutex x_control;  // one change of the set or flush at a time; held while drives are written
  std::mutex x_rebuild;  // one rebuild at a time; taken before x_control
  std::mutex x_spill;    // what was gathered reaches the queues in its order; after x_control
  mutable std::mutex x_mutex;       // guards all below to x_dead; never held while a drive is used
  std::vector<Updates> x_gathered;  // blocks that the reader has and no follower's queue has yet
  std::size_t x_gathered_bytes = 0;
  bool x_spill_posted = false;
  std::shared_ptr<Mirror> x_reader;
  std::vector<std::shared_ptr<Mirror>> x_followers;
  std::shared_ptr<Mirror> x_joiner;
  std::vector<std::shared_ptr<Mirror>> x_dead;  // until nobody uses them; then their files go

  std::shared_ptr<std::atomic<unsigned>> x_jobs;  // drains on the pool; the destructor waits
  std::atomic<std::uint64_t> x_version{1};
  std::atomic<std::uint64_t> x_crowded{0};  // a bit for each slot
  std::atomic<bool> x_started{false}, x_stopping{false};
  std::atomic<std::uint64_t> x_rebuilt{0}, x_lost{0};
};

}  // namespace outcrop::meta
