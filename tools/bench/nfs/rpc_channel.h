// One TCP connection of an NFS client with many calls under way: ONC RPC with AUTH_SYS. All calls
// that are made before the channel gets to sending leave in one system call, and all replies of one
// receive are handed out before it sends again.
#pragma once
#include <sys/socket.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "api/nfs/record.h"
#include "api/nfs/xdr.h"
#include "storage/base/async.h"

namespace outcrop::bench {

/// Where to connect and as whom. Immutable, any thread.
struct RpcTarget {
  sockaddr_storage address{};
  socklen_t address_size = 0;
  std::uint32_t uid = 0, gid = 0;
  double timeout_s = 30;  ///< to connect

  /// config: the name does not resolve.
  static Result<RpcTarget> make(const std::string& host, unsigned port);
};

struct Procedure {
  std::uint32_t program, version, number;
};

/// On one thread's io_context. open(), then run(), which ends with close(), an error of the
/// connection, or nonsense from the server; pending calls fail then with io_error.
class RpcChannel {
 public:
  RpcChannel(const RpcTarget& target, Executor executor);
  ~RpcChannel();
  RpcChannel(const RpcChannel&) = delete;

  /// Blocks the thread until it is connected.
  Result<void> open();
  Task<> run();
  void close() { fail_all("the connection was closed"); }

  /// The results of an accepted call. io_error: the connection broke or the server refused.
  Task<nfs::XdrReader> call(Procedure procedure, nfs::XdrWriter arguments);
  /// Closes the channel if the oldest call under way is older than that.
  void abort_if_stuck(std::chrono::steady_clock::time_point now, double timeout_s);
  std::uint64_t calls() const { return x_calls; }

 private:
  struct Pending {
    std::uint32_t xid = 0;
    std::chrono::steady_clock::time_point since;
    Resume<Buffer> resume;  ///< empty: the place is free
  };
  Task<> send_all();
  Task<> receive_all();
  Task<> send(const nfs::XdrWriter& batch);
  Task<> wait(asio::posix::descriptor_base::wait_type what);
  Result<void> hand_out();
  void wake_sender();
  void fail_all(const std::string& why);
  void append(Procedure procedure, std::uint32_t xid, nfs::XdrWriter arguments);

  const RpcTarget& x_target;
  asio::posix::basic_stream_descriptor<Executor> x_socket;
  std::string x_credentials;  ///< AUTH_SYS and an empty verifier, encoded
  nfs::RecordReader x_reader;
  std::vector<Buffer> x_records;
  nfs::XdrWriter x_out;
  Resume<void> x_sender;  ///< of the sender, while it has nothing to do
  std::vector<Pending> x_pending;
  std::vector<std::uint32_t> x_free;
  std::uint32_t x_generation = 0;
  std::uint64_t x_calls = 0;
  bool x_handing_out = false;
  bool x_broken = false;
  std::string x_why;
};

}  // namespace outcrop::bench
