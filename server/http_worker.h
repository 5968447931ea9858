// HTTP on one worker: its listeners, its sessions, and the coarse tick that enforces all their
// deadlines. HttpService is what the workers share.
#pragma once
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "api/http/message.h"
#include "server/byte_budget.h"
#include "server/http_options.h"
#include "server/http_session.h"
#include "server/in_buffer.h"

namespace outcrop::server {

/// Counts connections over all workers, in total and per address.
class ConnectionLimiter {
 public:
  ConnectionLimiter(unsigned total, unsigned per_address)
      : x_most(total), x_most_per_address(per_address) {}
  bool enter(const asio::ip::address& address);
  void leave(const asio::ip::address& address);

 private:
  const unsigned x_most, x_most_per_address;
  std::mutex x_mutex;
  unsigned x_open = 0;
  std::map<asio::ip::address, unsigned> x_by_address;
};

/// One HTTP service (S3, or admin), shared by the workers that serve it. Outlives them.
struct HttpService {
  HttpService(http::Handler h, const HttpOptions& o, ByteBudget& b)
      : handler(std::move(h)),
        options(o),
        budget(b),
        limiter(o.max_connections, o.max_connections_per_address) {}
  http::Handler handler;
  HttpOptions options;
  ByteBudget& budget;
  ConnectionLimiter limiter;
  std::shared_ptr<asio::ssl::context> tls;  ///< null: plain text
};

/// A bound and listening socket with SO_REUSEPORT, so that every worker can have its own. Errors:
/// config, one line ("address already in use").
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
Result<Acceptor> listen_on(const Executor& ex, const asio::ip::tcp::endpoint& endpoint);
/// Fails like listen_on() if another process of this user listens there already: SO_REUSEPORT would
/// share the port with it, and half of the clients would reach the wrong one.
Result<void> check_unused(const Executor& ex, const asio::ip::tcp::endpoint& endpoint);

class HttpWorker {
 public:
  HttpWorker(HttpService& service, Executor ex, std::uint64_t id_seed);
  ~HttpWorker();
  HttpWorker(const HttpWorker&) = delete;

  /// Accepts on it until stop(). Call on the worker, or before its thread runs.
  void serve(Acceptor acceptor);
  /// Stops accepting, lets requests in flight finish for up to `patience`, then cuts them off.
  /// Returns when the last session is gone. Run on the worker.
  Async<> stop(std::chrono::nanoseconds patience);

  HttpService& service() { return x_service; }
  HttpCounters& counters() { return x_counters; }
  const HttpCounters& counters() const { return x_counters; }
  BlockPool& blocks() { return x_blocks; }
  bool stopping() const { return x_stopping; }
  std::string next_request_id();
  std::string_view date();  ///< for the Date field, refreshed once a second

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>,
                                           Executor>;
  struct Connection {
    Connection(HttpWorker& owner, Socket socket, const asio::ip::tcp::endpoint& remote)
        : session(owner, std::move(socket), remote) {}
    HttpSession session;
    std::list<std::unique_ptr<Connection>>::iterator self;
  };
  Async<> accept_loop(Acceptor& acceptor);
  Async<> tick_loop();
  void open(Socket socket, const asio::ip::tcp::endpoint& remote);
  void refuse(Socket socket);
  void closed(Connection& connection);
  void loop_ended();
  bool at_rest() const { return x_loops == 0 && x_connections.empty(); }

  HttpService& x_service;
  Executor x_ex;
  HttpCounters x_counters;
  BlockPool x_blocks;
  std::list<Acceptor> x_acceptors;
  std::list<std::unique_ptr<Connection>> x_connections;
  Timer x_tick;
  Timer x_rest;  // cancelled when the last session or loop ends
  unsigned x_loops = 0;
  bool x_stopping = false;
  std::uint64_t x_id_seed;
  std::uint64_t x_ids = 0;
  std::int64_t x_date_second = -1;
  std::string x_date;
};

}  // namespace outcrop::server
