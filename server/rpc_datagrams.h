// ONC RPC over UDP for the little that old clients still ask that way: the port mapper, and MOUNT
// for umount and showmount. One datagram at a time. Addresses that no export is for get no answer:
// a short question with a long reply is what forged senders look for.
#pragma once
#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/ip/udp.hpp>

#include "api/nfs/dispatch.h"
#include "server/connection_worker.h"

namespace outcrop::server {

class RpcDatagrams {
 public:
  static constexpr std::size_t kMaxDatagram = 4096;  ///< of a call; longer ones are dropped

  /// Runs on `ex`. `exports` is borrowed; so are the programs.
  RpcDatagrams(Executor ex, const nfs::ExportTable& exports, std::vector<nfs::Program*> programs);
  ~RpcDatagrams();
  RpcDatagrams(const RpcDatagrams&) = delete;

  /// Errors: config, one line.
  Result<void> bind(const asio::ip::udp::endpoint& endpoint);
  std::uint16_t port() const;
  /// Call on the worker, or before its thread runs.
  void serve();
  /// Returns when nothing runs any more. On the worker.
  Async<> stop();

 private:
  Async<> loop();
  Async<> answer(Buffer call, const asio::ip::udp::endpoint& from);

  Executor x_ex;
  const nfs::ExportTable& x_exports;
  nfs::Dispatcher x_dispatcher;
  asio::basic_datagram_socket<asio::ip::udp, Executor> x_socket;
  Timer x_ended;
  bool x_running = false, x_stopping = false;
};

}  // namespace outcrop::server
