// One client connection, plain TCP or TLS, with a deadline that a coarse tick enforces: setting one
// is a store, so requests arm no timers. Used on its worker only; one reader and one writer at a
// time, each with its own deadline.
#pragma once
#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "storage/base/bytes.h"
#include "storage/base/task.h"

namespace boost::asio::ssl {
class context;
}

namespace outcrop::server {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

std::int64_t steady_now_ns();

class Transport {
 public:
  Transport(Socket socket, std::chrono::nanoseconds write_stall);
  ~Transport();
  Transport(const Transport&) = delete;

  /// Server side of the TLS handshake; everything after it is encrypted.
  Task<> handshake(asio::ssl::context& context);
  bool secure() const { return x_tls != nullptr; }
  /// Subject of the client certificate that the handshake has verified; empty if there was none.
  std::string verified_name() const;

  /// Until bytes are there to read, without a buffer in hand. Not with TLS, where decrypted bytes
  /// may already wait inside the TLS layer.
  Task<> wait_readable();
  /// What is there now; empty if nothing is, or with TLS.
  Result<std::optional<std::size_t>> try_read(MutBytes out);
  /// At least one byte; 0: the client closed its side. timed_out: the deadline passed.
  Task<std::size_t> read_some(MutBytes out);
  /// Reads and drops up to `limit` bytes for at most `patience`, after our side was shut down:
  /// closing with bytes unread would reset the connection before the client has read the answer.
  Async<> linger(std::uint64_t limit, std::chrono::nanoseconds patience);

  /// TLS: tells the client that this is the end, and not a cut, of what it gets (close_notify of
  /// RFC 8446 6.1), and waits for at most `patience` for it to say so too. Plain TCP: nothing.
  Async<> say_end(std::chrono::nanoseconds patience);

  /// Sends as much as the socket takes now. TLS: nothing.
  Result<std::size_t> try_write(std::span<iovec> parts);
  /// Sends all; `parts` is used up. timed_out when the client takes nothing for `write_stall`.
  Task<> write_all(std::span<iovec> parts);

  /// Reads and waits end with timed_out after `ns` from now; checked by tick() only.
  void expire_after(std::chrono::nanoseconds ns) {
    x_deadline = steady_now_ns() + ns.count();
    x_expired = false;
  }
  void never_expire() { x_deadline = kNever; }
  bool expired() const { return x_expired; }
  void tick(std::int64_t now);

  /// No more is read: a waiting reader finds the end of the stream, a writer goes on.
  void stop_reading();
  /// Wakes whatever waits on the socket; it fails with cancelled.
  void wake();
  void reset();  ///< RST: the client must not take what it has for a complete answer
  void close();
  Executor executor() { return x_socket.get_executor(); }

 private:
  struct Tls;
  static constexpr std::int64_t kNever = INT64_MAX;
  Task<> wait(Socket::wait_type what);
  Task<> write_tls(std::span<iovec> parts);
  std::unexpected<Error> failure(const boost::system::error_code& ec) const;

  Socket x_socket;
  std::unique_ptr<Tls> x_tls;
  std::chrono::nanoseconds x_write_stall;
  std::int64_t x_deadline = kNever, x_write_deadline = kNever;
  bool x_expired = false;
};

}  // namespace outcrop::server
