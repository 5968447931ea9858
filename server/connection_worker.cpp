#include "server/connection_worker.h"

#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>

#include "storage/base/log.h"

namespace outcrop::server {
namespace {

using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int kBacklog = 1024;
/// The shortest timeouts of tests need a finer tick.
constexpr std::chrono::milliseconds kCoarsestTick{500}, kFinestTick{10};

}  // namespace

bool ConnectionLimiter::enter(const asio::ip::address& address) {
  const std::lock_guard lock(x_mutex);
  if (x_open >= x_most) {
    return false;
  }
  if (x_most_per_address > 0) {
    unsigned& open = x_by_address[address];
    if (open >= x_most_per_address) {
      return false;
    }
    ++open;
  }
  ++x_open;
  return true;
}

void ConnectionLimiter::leave(const asio::ip::address& address) {
  const std::lock_guard lock(x_mutex);
  --x_open;
  if (x_most_per_address > 0) {
    const auto it = x_by_address.find(address);
    if (--it->second == 0) {
      x_by_address.erase(it);
    }
  }
}

namespace {

Result<Acceptor> bind_to(const Executor& ex, const asio::ip::tcp::endpoint& endpoint, bool share) {
  Acceptor acceptor(ex);
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) {
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  }
  if (!ec && share) {
    acceptor.set_option(ReusePort(true), ec);
  }
  if (!ec && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(false), ec);  // "[::]:9000" serves both families
  }
  if (!ec) {
    acceptor.bind(endpoint, ec);
  }
  if (ec) {
    const bool v6 = endpoint.address().is_v6();
    return fail(Errc::config, std::string("cannot listen on ") + (v6 ? "[" : "") +
                                  endpoint.address().to_string() + (v6 ? "]:" : ":") +
                                  std::to_string(endpoint.port()) + ": " + ec.message() +
                                  "; choose another ADDRESS:PORT");
  }
  return acceptor;
}

}  // namespace

Result<void> check_unused(const Executor& ex, const asio::ip::tcp::endpoint& endpoint) {
  TRY(const Acceptor probe, bind_to(ex, endpoint, false));
  return ok();
}

Result<Acceptor> listen_on(const Executor& ex, const asio::ip::tcp::endpoint& endpoint) {
  TRY(Acceptor acceptor, bind_to(ex, endpoint, true));
  error_code ec;
  acceptor.listen(kBacklog, ec);
  if (ec) {
    return fail(Errc::config, "cannot listen: " + ec.message());
  }
  return acceptor;
}

std::chrono::milliseconds ConnectionWorker::tick_for(std::chrono::milliseconds shortest_deadline) {
  return std::clamp(shortest_deadline / 4, kFinestTick, kCoarsestTick);
}

ConnectionWorker::ConnectionWorker(Executor ex,
                                   ConnectionLimiter& limiter,
                                   ConnectionCounters& counters,
                                   std::chrono::milliseconds tick)
    : x_ex(ex), x_limiter(limiter), x_counters(counters), x_every(tick), x_tick(ex), x_rest(ex) {}

void ConnectionWorker::serve(Acceptor acceptor) {
  const auto ended = [this](std::exception_ptr thrown) {
    loop_ended();
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  };
  if (x_acceptors.empty()) {
    ++x_loops;
    asio::co_spawn(x_ex, tick_loop(), ended);
  }
  ++x_loops;
  x_acceptors.push_back(std::move(acceptor));
  asio::co_spawn(x_ex, accept_loop(x_acceptors.back()), ended);
}

Async<> ConnectionWorker::accept_loop(Acceptor& acceptor) {
  while (!x_stopping) {
    error_code ec;
    asio::ip::tcp::endpoint remote;
    Socket socket = co_await acceptor.async_accept(remote, asio::redirect_error(use_async, ec));
    if (x_stopping) {
      break;
    }
    if (!ec) {
      open(std::move(socket), remote);
      continue;
    }
    // Out of descriptors, most likely: the waiting client is not lost, and sessions end meanwhile.
    log::warn("accept failed", {{"error", ec.message()}});
    Timer pause(x_ex, std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::redirect_error(use_async, ec));
  }
}

Async<> ConnectionWorker::tick_loop() {
  while (!x_stopping || !x_connections.empty()) {
    x_tick.expires_after(x_every);
    error_code ec;
    co_await x_tick.async_wait(asio::redirect_error(use_async, ec));
    const std::int64_t now = steady_now_ns();
    for (const std::unique_ptr<Connection>& c : x_connections) {
      c->session->tick(now);
    }
  }
}

void ConnectionWorker::open(Socket socket, const asio::ip::tcp::endpoint& remote) {
  if (!x_limiter.enter(remote.address())) {
    x_counters.refused.add(1);
    refuse(std::move(socket));
    return;
  }
  x_counters.accepted.add(1);
  x_counters.connections.add(1);
  x_connections.push_front(std::make_unique<Connection>());
  Connection& connection = *x_connections.front();
  connection.self = x_connections.begin();
  connection.session = make_session(std::move(socket), remote);
  asio::co_spawn(x_ex, connection.session->run(), [this, &connection](std::exception_ptr thrown) {
    closed(connection);
    if (thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& e) {
        log::error("session failed", {{"what", e.what()}});
      }
    }
  });
}

void ConnectionWorker::closed(Connection& connection) {
  x_limiter.leave(connection.session->address());
  x_counters.connections.sub(1);
  x_connections.erase(connection.self);
  if (x_connections.empty() && x_stopping) {
    x_tick.cancel();
    if (at_rest()) {
      x_rest.cancel();
    }
  }
}

void ConnectionWorker::loop_ended() {
  --x_loops;
  if (at_rest()) {
    x_rest.cancel();
  }
}

Async<> ConnectionWorker::stop(std::chrono::nanoseconds patience) {
  x_stopping = true;
  error_code ignored;
  for (Acceptor& a : x_acceptors) {
    a.close(ignored);
  }
  for (const std::unique_ptr<Connection>& c : x_connections) {
    c->session->leave();
  }
  if (x_connections.empty()) {
    x_tick.cancel();
  }
  x_rest.expires_after(patience);
  if (!at_rest()) {
    co_await x_rest.async_wait(asio::redirect_error(use_async, ignored));
  }
  for (const std::unique_ptr<Connection>& c : x_connections) {
    c->session->abort();
  }
  while (!at_rest()) {
    x_rest.expires_after(std::chrono::milliseconds(20));
    co_await x_rest.async_wait(asio::redirect_error(use_async, ignored));
  }
}

}  // namespace outcrop::server
