// All of NFS in the server: exports and what is remembered of them, the programs of the protocol
// versions, their listeners, and the housekeeping of client state. Part of the composition root.
//
// Nothing listens until there is an export, so that a server that serves S3 only has no further
// open port; the first export that is added at run time opens it.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/admin/metrics.h"
#include "api/nfs/v4state/recovery_file.h"
#include "api/nfs/v4state/state_manager.h"
#include "server/config.h"
#include "server/export_registry.h"
#include "server/memory_plan.h"
#include "server/nfs_worker.h"
#include "server/rpc_datagrams.h"

namespace outcrop::server {

class NfsServer {
 public:
  /// All borrowed; `audit` may be null.
  NfsServer(Runtime& runtime,
            const Config& config,
            const MemoryPlan& memory,
            ByteBudget& budget,
            const Clock& clock,
            Random& random,
            audit::Sink* audit);
  ~NfsServer();
  NfsServer(const NfsServer&) = delete;

  /// Reads what is remembered, publishes the exports, and binds if there are any. Before the
  /// workers run. Errors: config.
  Result<void> prepare();
  /// Whether there is such an access key, and what an export may do at most.
  struct Policies {
    std::function<bool(const std::string&)> known_identity;
    std::function<nfs::Rights(const nfs::Export&)> rights;
  };
  /// Serves. The store is open; both facades are of the same tree and outlive stop(). Not on a
  /// worker.
  Result<void> open(ns::Namespace& buckets, ns::FileSystem& files, Policies policies);
  /// Looks at the rights of all exports again. Any thread.
  void policies_changed() { x_exports.refresh(); }
  /// Finishes calls in flight for up to `patience`. Not on a worker; a second call does nothing.
  void stop(std::chrono::nanoseconds patience);

  // Administration; blocks, so not on a worker. Errors: invalid_argument, already_exists,
  // not_found.
  std::string list_exports() const;  ///< JSON
  Result<std::string> add_export(std::string_view json);
  Result<void> remove_export(std::string_view path);
  /// JSON; conflict, see ExportRegistry::rotate_key().
  Result<std::string> rotate_key(bool force);

  /// 0: nothing listens (yet).
  std::uint16_t port() const { return x_port.load(std::memory_order_relaxed); }
  /// Between open() and stop() only, like totals(); any thread.
  admin::NfsSample sample() const;
  std::vector<admin::OperationTotals> totals() const;

 private:
  struct Programs;
  Result<void> bind();
  Result<void> bind_portmap();
  void serve();
  Async<> housekeeping();
  Result<void> check(const nfs::Export& e) const;

  Runtime& x_runtime;
  const Config& x_config;
  const MemoryPlan x_memory;
  ByteBudget& x_budget;
  const Clock& x_clock;
  Random& x_random;
  audit::Sink* const x_audit;  // null: no audit log

  nfs::ExportTable x_exports;
  std::unique_ptr<ExportRegistry> x_registry;
  nfs::FileRecoveryStore x_recovery;
  std::unique_ptr<nfs::HandleCodec> x_handles;
  std::unique_ptr<NfsService> x_service, x_portmap_service;
  std::unique_ptr<NfsGroup> x_group, x_portmap_group;
  std::unique_ptr<RpcDatagrams> x_portmap_udp, x_mount_udp;
  std::unique_ptr<Programs> x_programs;

  std::mutex x_mutex;  // of what follows, and of opening listeners
  std::atomic<std::uint16_t> x_port{0};
  Policies x_policies;  // none before open()
  bool x_open = false, x_serving = false, x_stopped = false;
  std::unique_ptr<Timer> x_tick;
  std::atomic<bool> x_stopping{false};
  std::future<bool> x_housekeeping;
};

}  // namespace outcrop::server
