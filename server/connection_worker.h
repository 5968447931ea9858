// What every listener of a worker does, whatever it speaks: accept up to the limits, own the
// sessions, tick their deadlines, and let them finish when the server stops.
#pragma once
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "server/transport.h"
#include "storage/base/counter.h"

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

/// A bound and listening socket with SO_REUSEPORT, so that every worker can have its own. Errors:
/// config, one line ("address already in use").
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
Result<Acceptor> listen_on(const Executor& ex, const asio::ip::tcp::endpoint& endpoint);
/// Fails like listen_on() if another process of this user listens there already: SO_REUSEPORT would
/// share the port with it, and half of the clients would reach the wrong one.
Result<void> check_unused(const Executor& ex, const asio::ip::tcp::endpoint& endpoint);

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Executor>;

/// One client connection. Owned by its ConnectionWorker, lives on its worker.
class Session {
 public:
  virtual ~Session() = default;
  /// The whole life of the connection. Never fails: what goes wrong ends it.
  virtual Async<> run() = 0;
  virtual void tick(std::int64_t now) = 0;
  /// The server stops: leave now if idle, else after what is being served.
  virtual void leave() = 0;
  /// No more patience: whatever waits on the socket fails.
  virtual void abort() = 0;
  virtual const asio::ip::address& address() const = 0;
};

/// Written by one worker, read by anyone.
struct ConnectionCounters {
  Counter connections;        ///< open now
  Counter accepted, refused;  ///< refused: over a limit
};

class ConnectionWorker {
 public:
  /// How exact deadlines are: a quarter of the shortest, within bounds.
  static std::chrono::milliseconds tick_for(std::chrono::milliseconds shortest_deadline);

  ConnectionWorker(Executor ex,
                   ConnectionLimiter& limiter,
                   ConnectionCounters& counters,
                   std::chrono::milliseconds tick);
  virtual ~ConnectionWorker() = default;
  ConnectionWorker(const ConnectionWorker&) = delete;

  /// Accepts on it until stop(). Call on the worker, or before its thread runs.
  void serve(Acceptor acceptor);
  /// Stops accepting, lets what is in flight finish for up to `patience`, then cuts it off.
  /// Returns when the last session is gone. Run on the worker.
  Async<> stop(std::chrono::nanoseconds patience);
  bool stopping() const { return x_stopping; }
  Executor executor() const { return x_ex; }

 private:
  virtual std::unique_ptr<Session> make_session(Socket socket,
                                                const asio::ip::tcp::endpoint& remote) = 0;
  /// Over a limit. Must not wait: a refused client costs nothing.
  virtual void refuse(Socket socket) = 0;

  struct Connection {
    std::unique_ptr<Session> session;
    std::list<std::unique_ptr<Connection>>::iterator self;
  };
  Async<> accept_loop(Acceptor& acceptor);
  Async<> tick_loop();
  void open(Socket socket, const asio::ip::tcp::endpoint& remote);
  void closed(Connection& connection);
  void loop_ended();
  bool at_rest() const { return x_loops == 0 && x_connections.empty(); }

  Executor x_ex;
  ConnectionLimiter& x_limiter;
  ConnectionCounters& x_counters;
  const std::chrono::milliseconds x_every;
  std::list<Acceptor> x_acceptors;
  std::list<std::unique_ptr<Connection>> x_connections;
  Timer x_tick;
  Timer x_rest;  // cancelled when the last session or loop ends
  unsigned x_loops = 0;
  bool x_stopping = false;
};

}  // namespace outcrop::server
