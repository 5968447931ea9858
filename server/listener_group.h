// Listeners on a set of workers for one service, opened and stopped together.
#pragma once
#include <memory>
#include <vector>

#include "server/config.h"
#include "server/connection_worker.h"
#include "server/runtime.h"

namespace outcrop::server {

class ListenerGroup {
 public:
  explicit ListenerGroup(Runtime& runtime) : x_runtime(runtime) {}
  ListenerGroup(const ListenerGroup&) = delete;

  /// Binds every worker's listener to `at`; refuses an address that another process listens on,
  /// which SO_REUSEPORT alone would let through. Port 0: any, the same for all. Errors: config.
  Result<void> bind(const HostPort& at);
  /// Starts accepting on every worker.
  void serve();
  /// Stops all workers side by side. Not on a worker.
  void stop(std::chrono::nanoseconds patience);

  std::uint16_t port() const { return x_port; }

 protected:
  /// `connections` belongs to the derived class and outlives the group's use of it.
  void add(unsigned worker, ConnectionWorker& connections);

 private:
  struct Member {
    unsigned worker;
    ConnectionWorker* connections;
    std::unique_ptr<Acceptor> acceptor;  // bound, until serve()
  };
  Runtime& x_runtime;
  std::vector<Member> x_members;
  std::uint16_t x_port = 0;
};

}  // namespace outcrop::server
