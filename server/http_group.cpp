#include "server/http_group.h"

namespace outcrop::server {

HttpGroup::HttpGroup(Runtime& runtime,
                     std::vector<unsigned> workers,
                     HttpService& service,
                     Random& random)
    : ListenerGroup(runtime) {
  for (const unsigned w : workers) {
    x_workers.push_back(
        std::make_unique<HttpWorker>(service, runtime.io(w).get_executor(), random.next()));
    add(w, *x_workers.back());
  }
}

admin::HttpSample HttpGroup::totals() const {
  admin::HttpSample out;
  for (const std::unique_ptr<HttpWorker>& w : x_workers) {
    const HttpCounters& c = w->counters();
    out.connections += c.connections.get();
    out.accepted += c.accepted.get();
    out.refused += c.refused.get();
    out.requests += c.requests.get();
    out.in_flight += c.in_flight.get();
    out.bytes_in += c.bytes_in.get();
    out.bytes_out += c.bytes_out.get();
    out.bad_heads += c.bad_heads.get();
    out.timeouts += c.timeouts.get();
    out.resets += c.resets.get();
  }
  return out;
}

}  // namespace outcrop::server
