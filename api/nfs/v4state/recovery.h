// Grace, and who may reclaim in it: keeps the recovery store in step with the clients. Private to
// this folder.
//
// Changes are queued under a leaf mutex, by the code that made them necessary and in its critical
// section; flush() writes them in batches. Whoever granted state waits in flush() before it answers
// if dirty(), so no grant is seen that a restart would contradict.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/nfs/v4state/config.h"
#include "api/nfs/v4state/recovery_store.h"
#include "api/nfs/v4state/state_objects.h"
#include "storage/base/async.h"
#include "storage/base/clock.h"

namespace outcrop::nfs {

class Recovery {
 public:
  Recovery(const StateConfig& config, const Clock& clock, RecoveryStore& store)
      : x_config(config), x_clock(clock), x_store(store) {}

  Task<> start();
  bool in_grace() const {
    const std::int64_t until = x_grace_until.load(std::memory_order_relaxed);
    return until != 0 && x_clock.steady_ns() < until;
  }
  /// Whether the client may get state now: ok, GRACE, NO_GRACE, RECLAIM_BAD.
  Status admit(const Client& client, bool reclaim) const;

  /// The client was confirmed: is it one of those that grace waits for?
  void adopt(const ClientRef& client);
  /// RECLAIM_COMPLETE.
  void complete(Client& client);
  /// Grace is over if its time is; forgets who did not come back.
  void tick();

  /// It got its first state.
  void keep(Client& client);
  /// It lost state that it must not reclaim.
  void drop(Client& client);
  /// It is no client any more; `heir` (or null), the same one after a restart, takes its record.
  void end(Client& client, Client* heir);

  bool dirty() const { return x_dirty.load(std::memory_order_acquire); }
  /// All that was queued before the call is durable after it. Any number of callers.
  Task<> flush();

 private:
  using Key = std::pair<bool, std::string>;
  struct Loaded {
    Principal principal;
    std::weak_ptr<Client> client;  ///< that came back
  };
  struct Waiter {
    Executor executor;
    Resume<void> resume;
  };
  static Key key(const Client& client) { return {client.sessions_family, client.owner}; }
  void queue(RecoveryChange change);
  void end_grace();
  /// The batch to be written by the caller; empty: nothing to do, or somebody is at it.
  std::vector<RecoveryChange> take_batch(bool& busy);
  void batch_done(const std::vector<RecoveryChange>& batch, const Result<void>& result);
  void wait(Executor executor, Resume<void> resume);

  const StateConfig& x_config;
  const Clock& x_clock;
  RecoveryStore& x_store;
  std::atomic<std::int64_t> x_grace_until = 0;  ///< 0: there is none (any more)
  std::atomic<bool> x_dirty = false;
  std::mutex x_mutex;
  std::map<Key, Loaded> x_awaited;
  std::map<Key, RecoveryChange> x_pending;
  bool x_writing = false;
  std::vector<Waiter> x_waiters;
};

}  // namespace outcrop::nfs
