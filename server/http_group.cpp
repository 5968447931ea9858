#include "server/http_group.h"

namespace outcrop::server {
namespace {

Async<bool> serve_one(HttpWorker& http, std::unique_ptr<Acceptor> acceptor) {
  http.serve(std::move(*acceptor));
  co_return true;
}

Async<bool> stop_one(HttpWorker& http, std::chrono::nanoseconds patience) {
  co_await http.stop(patience);
  co_return true;
}

}  // namespace

HttpGroup::HttpGroup(Runtime& runtime,
                     std::vector<unsigned> workers,
                     HttpService& service,
                     Random& random)
    : x_runtime(runtime) {
  for (const unsigned w : workers) {
    x_members.push_back(
        {w, std::make_unique<HttpWorker>(service, runtime.io(w).get_executor(), random.next()),
         nullptr});
  }
}

Result<void> HttpGroup::bind(const HostPort& at) {
  boost::system::error_code ec;
  asio::ip::tcp::endpoint endpoint(asio::ip::make_address(at.host, ec), at.port);
  if (ec) {
    return fail(Errc::config, "not an address: " + at.host);
  }
  TRYV(check_unused(x_runtime.io(x_members.front().worker).get_executor(), endpoint));
  for (Member& m : x_members) {
    TRY(Acceptor acceptor, listen_on(x_runtime.io(m.worker).get_executor(), endpoint));
    endpoint.port(acceptor.local_endpoint().port());
    m.acceptor = std::make_unique<Acceptor>(std::move(acceptor));
  }
  x_port = endpoint.port();
  return ok();
}

void HttpGroup::serve() {
  for (Member& m : x_members) {
    x_runtime.run_on(m.worker, serve_one(*m.http, std::move(m.acceptor)));
  }
}

void HttpGroup::stop(std::chrono::nanoseconds patience) {
  std::vector<std::future<bool>> stopping;
  for (Member& m : x_members) {
    m.acceptor.reset();
    stopping.push_back(x_runtime.start_on(m.worker, stop_one(*m.http, patience)));
  }
  for (std::future<bool>& s : stopping) {
    s.get();
  }
}

admin::HttpSample HttpGroup::totals() const {
  admin::HttpSample out;
  for (const Member& m : x_members) {
    const HttpCounters& c = m.http->counters();
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
