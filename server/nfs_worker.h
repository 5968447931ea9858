// NFS on one worker: what its sessions have in common. NfsService is what the workers share.
#pragma once
#include <memory>
#include <vector>

#include "api/nfs/dispatch.h"
#include "server/byte_budget.h"
#include "server/connection_worker.h"
#include "server/listener_group.h"
#include "server/nfs_options.h"

namespace outcrop::server {

/// Shared by the workers, outlives them.
struct NfsService {
  NfsService(const NfsOptions& o, const nfs::ExportTable& e, ByteBudget& b)
      : options(o),
        exports(e),
        budget(b),
        limiter(o.max_connections, o.max_connections_per_address) {}
  NfsOptions options;
  const nfs::ExportTable& exports;
  ByteBudget& budget;
  ConnectionLimiter limiter;
  std::shared_ptr<asio::ssl::context> tls;      ///< null: RPC-with-TLS is not offered
  const nfs::Dispatcher* dispatcher = nullptr;  ///< set before anything is served
};

class NfsWorker final : public ConnectionWorker {
 public:
  /// `number`: of this worker, for connection numbers that never repeat.
  NfsWorker(NfsService& service, Executor ex, unsigned number);

  NfsService& service() { return x_service; }
  NfsCounters& counters() { return x_counters; }
  const NfsCounters& counters() const { return x_counters; }

 private:
  std::unique_ptr<Session> make_session(Socket socket,
                                        const asio::ip::tcp::endpoint& remote) override;
  void refuse(Socket socket) override;

  NfsService& x_service;
  NfsCounters x_counters;
  std::uint64_t x_next_connection;
};

/// Listeners on every given worker.
class NfsGroup : public ListenerGroup {
 public:
  NfsGroup(Runtime& runtime, const std::vector<unsigned>& workers, NfsService& service);
  /// One set per worker.
  std::vector<const NfsCounters*> counters() const;

 private:
  std::vector<std::unique_ptr<NfsWorker>> x_workers;
};

}  // namespace outcrop::server
