#include "server/listener_group.h"

namespace outcrop::server {
namespace {

Async<bool> serve_one(ConnectionWorker& worker, std::unique_ptr<Acceptor> acceptor) {
  worker.serve(std::move(*acceptor));
  co_return true;
}

Async<bool> stop_one(ConnectionWorker& worker, std::chrono::nanoseconds patience) {
  co_await worker.stop(patience);
  co_return true;
}

}  // namespace

void ListenerGroup::add(unsigned worker, ConnectionWorker& connections) {
  x_members.push_back({worker, &connections, nullptr});
}

Result<void> ListenerGroup::bind(const HostPort& at) {
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

void ListenerGroup::serve() {
  for (Member& m : x_members) {
    x_runtime.run_on(m.worker, serve_one(*m.connections, std::move(m.acceptor)));
  }
}

void ListenerGroup::stop(std::chrono::nanoseconds patience) {
  std::vector<std::future<bool>> stopping;
  for (Member& m : x_members) {
    m.acceptor.reset();
    stopping.push_back(x_runtime.start_on(m.worker, stop_one(*m.connections, patience)));
  }
  for (std::future<bool>& s : stopping) {
    s.get();
  }
}

}  // namespace outcrop::server
