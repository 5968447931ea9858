#include "server/http_worker.h"

#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <ctime>

#include "server/response_head.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int kBacklog = 1024;
/// How exact deadlines are; the shortest timeouts of tests need a finer tick.
constexpr std::chrono::milliseconds kCoarsestTick{500}, kFinestTick{10};

std::chrono::milliseconds tick_for(const HttpOptions& o) {
  const auto shortest = std::min({o.head_timeout, o.idle_timeout, o.body_window, o.write_stall,
                                  o.drain_timeout, o.linger_timeout});
  return std::clamp(shortest / 4, kFinestTick, kCoarsestTick);
}

/// splitmix64: request ids are unique and look random; nothing depends on them being secret.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

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

HttpWorker::HttpWorker(HttpService& service, Executor ex, std::uint64_t id_seed)
    : x_service(service), x_ex(ex), x_tick(ex), x_rest(ex), x_id_seed(id_seed) {}

HttpWorker::~HttpWorker() = default;

std::string HttpWorker::next_request_id() {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::uint64_t n = mix(x_id_seed + x_ids++);
  std::string id(16, '0');
  for (char& c : id) {
    c = kHex[n >> 60];
    n <<= 4;
  }
  return id;
}

std::string_view HttpWorker::date() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != x_date_second) {
    x_date_second = now.tv_sec;
    x_date = http_date(now.tv_sec);
  }
  return x_date;
}

void HttpWorker::serve(Acceptor acceptor) {
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

Async<> HttpWorker::accept_loop(Acceptor& acceptor) {
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

Async<> HttpWorker::tick_loop() {
  const std::chrono::milliseconds every = tick_for(x_service.options);
  while (!x_stopping || !x_connections.empty()) {
    x_tick.expires_after(every);
    error_code ec;
    co_await x_tick.async_wait(asio::redirect_error(use_async, ec));
    const std::int64_t now = steady_now_ns();
    for (const std::unique_ptr<Connection>& c : x_connections) {
      c->session.tick(now);
    }
  }
}

void HttpWorker::open(Socket socket, const asio::ip::tcp::endpoint& remote) {
  if (!x_service.limiter.enter(remote.address())) {
    refuse(std::move(socket));
    return;
  }
  x_counters.accepted.add(1);
  x_counters.connections.add(1);
  x_connections.push_front(std::make_unique<Connection>(*this, std::move(socket), remote));
  Connection& connection = *x_connections.front();
  connection.self = x_connections.begin();
  asio::co_spawn(x_ex, connection.session.run(), [this, &connection](std::exception_ptr thrown) {
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

/// Over a limit: one answer that any client understands, without a session. It fits into the empty
/// send buffer, and nothing is waited for: a refused client must cost nothing. With TLS there is no
/// way to say it cheaply.
void HttpWorker::refuse(Socket socket) {
  x_counters.refused.add(1);
  error_code ignored;
  if (!x_service.tls) {
    http::Response response = plain_response(503, "too many connections, try again later");
    response.set("Retry-After", "1");
    const std::string& body = std::get<std::string>(response.body);
    const std::string id = next_request_id();
    const std::string all =
        write_head(
            response,
            {.date = date(), .request_id = id, .content_length = body.size(), .close = true}) +
        body;
    std::ignore =
        ::send(socket.native_handle(), all.data(), all.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    socket.shutdown(Socket::shutdown_send, ignored);
    // What the client has sent already would turn the close into a reset that overtakes the answer.
    std::ignore = ::recv(socket.native_handle(), nullptr, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
  }
  socket.close(ignored);
}

void HttpWorker::closed(Connection& connection) {
  x_service.limiter.leave(connection.session.address());
  x_counters.connections.sub(1);
  x_connections.erase(connection.self);
  if (x_connections.empty() && x_stopping) {
    x_tick.cancel();
    if (at_rest()) {
      x_rest.cancel();
    }
  }
}

void HttpWorker::loop_ended() {
  --x_loops;
  if (at_rest()) {
    x_rest.cancel();
  }
}

Async<> HttpWorker::stop(std::chrono::nanoseconds patience) {
  x_stopping = true;
  error_code ignored;
  for (Acceptor& a : x_acceptors) {
    a.close(ignored);
  }
  for (const std::unique_ptr<Connection>& c : x_connections) {
    c->session.leave();
  }
  if (x_connections.empty()) {
    x_tick.cancel();
  }
  x_rest.expires_after(patience);
  if (!at_rest()) {
    co_await x_rest.async_wait(asio::redirect_error(use_async, ignored));
  }
  for (const std::unique_ptr<Connection>& c : x_connections) {
    c->session.abort();
  }
  while (!at_rest()) {
    x_rest.expires_after(std::chrono::milliseconds(20));
    co_await x_rest.async_wait(asio::redirect_error(use_async, ignored));
  }
}

}  // namespace outcrop::server
