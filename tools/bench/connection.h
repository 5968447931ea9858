// One TCP or TLS connection of a load generator: non-blocking, on one thread's io_context.
#pragma once
#include <sys/socket.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/bytes.h"
#include "storage/base/task.h"
#include "tools/bench/options.h"

struct ssl_ctx_st;
struct ssl_st;

namespace outcrop::bench {

/// Where to connect: resolved once, shared by all connections. Immutable, any thread.
struct Target {
  Endpoint endpoint;
  sockaddr_storage address{};
  socklen_t address_size = 0;
  std::shared_ptr<ssl_ctx_st> tls;  ///< null for plain HTTP
  bool check_name = true;

  /// config: the name does not resolve, or the CA file cannot be read.
  static Result<Target> make(const Options& options);
};

/// closed -> open -> closed. Every error closes it. One coroutine at a time.
class Connection {
 public:
  Connection(const Target& target, Executor executor);
  ~Connection();
  Connection(const Connection&) = delete;

  Task<> open();
  bool is_open() const { return x_socket.is_open(); }
  void close();
  /// Makes the pending call fail at once, from the same thread.
  void abort() { x_socket.cancel(); }

  /// Sends `head`, then `size` bytes of `block` over and over. All borrowed until completion.
  Task<> send(std::string_view head, ConstBytes block, std::uint64_t size);
  /// At least one byte; io_error at the end of the stream. `expect_wait`: an answer that cannot be
  /// there yet, which saves a useless system call.
  Task<std::size_t> receive(std::span<char> into, bool expect_wait);
  /// Throws `size` bytes away; on plain TCP the kernel does not even copy them.
  Task<> discard(std::uint64_t size, std::span<char> scratch);

 private:
  enum class Ready { read, write };
  Task<> wait(Ready ready);
  Task<> connect_tls();
  /// After a failed OpenSSL call: waits for what it wants, or fails.
  Task<> wait_tls(int result);
  Task<> send_plain(std::string_view head, ConstBytes block, std::uint64_t size);
  Task<> send_tls(std::string_view part);
  std::unexpected<Error> broken(int error);

  const Target& x_target;
  asio::posix::basic_stream_descriptor<Executor> x_socket;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> x_tls;
};

}  // namespace outcrop::bench
