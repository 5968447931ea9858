// One HTTP service on a set of workers: a listener and the sessions on each, opened and stopped
// together.
#pragma once
#include <memory>
#include <vector>

#include "api/admin/metrics.h"
#include "server/http_worker.h"
#include "server/listener_group.h"
#include "storage/base/random.h"

namespace outcrop::server {

class HttpGroup : public ListenerGroup {
 public:
  /// Serves on `workers` of `runtime`. Nothing is bound yet.
  HttpGroup(Runtime& runtime, std::vector<unsigned> workers, HttpService& service, Random& random);
  admin::HttpSample totals() const;

 private:
  std::vector<std::unique_ptr<HttpWorker>> x_workers;
};

}  // namespace outcrop::server
