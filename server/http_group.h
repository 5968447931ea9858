// One HTTP service on a set of workers: a listener and the sessions on each, opened and stopped
// together.
#pragma once
#include <memory>
#include <vector>

#include "api/admin/metrics.h"
#include "server/config.h"
#include "server/http_worker.h"
#include "server/runtime.h"
#include "storage/base/random.h"

namespace outcrop::server {

class HttpGroup {
 public:
  /// Serves on `workers` of `runtime`. Nothing is bound yet.
  HttpGroup(Runtime& runtime, std::vector<unsigned> workers, HttpService& service, Random& random);

  /// Binds every worker's listener to `at`; refuses an address that another process listens on,
  /// which SO_REUSEPORT alone would let through. Port 0: any, the same for all. Errors: config.
  Result<void> bind(const HostPort& at);
  /// Starts accepting on every worker.
  void serve();
  /// Stops all workers side by side. Not on a worker.
  void stop(std::chrono::nanoseconds patience);

  std::uint16_t port() const { return x_port; }
  admin::HttpSample totals() const;

 private:
  struct Member {
    unsigned worker;
    std::unique_ptr<HttpWorker> http;
    std::unique_ptr<Acceptor> acceptor;  // bound, until serve()
  };
  Runtime& x_runtime;
  std::vector<Member> x_members;
  std::uint16_t x_port = 0;
};

}  // namespace outcrop::server
