// A real NFS listener on 127.0.0.1 with a program that tests can drive, and the client's side of
// RPC on a raw socket.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/nfs_worker.h"
#include "tests/unit/api/nfs/rpc_calls.h"
#include "tests/unit/server/live_server.h"

namespace outcrop::server::testing {

/// What the driven program does, by procedure number.
enum Procedure : std::uint32_t {
  kEcho = 1,      ///< the argument opaque, and whether the peer has TLS, and its name
  kHold = 2,      ///< waits for release(), then like kEcho
  kRead = 3,      ///< u32 n: an opaque of n bytes in slices of 64 KiB
  kSink = 4,      ///< an opaque: its length, and 1 if all bytes are as pattern() says
  kThrow = 5,     //
  kSilent = 6,    ///< no reply at all
  kReadLate = 7,  ///< kRead after a turn of the loop
  kRoom = 9,      ///< what the reply may carry at most, up to 2^32 - 1
  kReadPool = 8   ///< kRead after a while on another thread, as from a drive
};
inline constexpr std::uint32_t kTestProgram = 400'000;

class TestProgram final : public nfs::Program {
 public:
  std::uint32_t program() const override { return kTestProgram; }
  std::uint32_t version() const override { return 1; }
  Async<> call(const nfs::Peer& peer, nfs::RpcCall& call, nfs::XdrWriter& reply) override;

  int calls() const { return x_calls; }
  int held() const { return x_held; }
  /// Lets every call that waits in kHold go on.
  void release();

 private:
  std::atomic<int> x_calls{0}, x_held{0};
  std::mutex x_mutex;
  std::vector<Resume<void>> x_waiting;
  BlockingPool x_pool{2};
};

class LiveNfs {
 public:
  explicit LiveNfs(NfsOptions options = {},
                   std::shared_ptr<asio::ssl::context> tls = nullptr,
                   std::uint64_t budget = 64 << 20);
  ~LiveNfs() { stop(std::chrono::seconds(5)); }
  /// Drains and joins; a second call does nothing.
  void stop(std::chrono::milliseconds patience);

  std::uint16_t port() const { return x_port; }
  const NfsCounters& counters() const { return x_worker.counters(); }
  ByteBudget& budget() { return x_budget; }
  TestProgram& program() { return x_program; }
  nfs::ExportTable& exports() { return x_exports; }
  /// TestProgram::release() in one turn of the worker: no call that waited is done in another.
  void release_in_one_turn() {
    asio::post(x_io, [this] { x_program.release(); });
  }

 private:
  asio::io_context x_io{1};
  ByteBudget x_budget;
  nfs::ExportTable x_exports;
  TestProgram x_program;
  nfs::Dispatcher x_dispatcher{{&x_program}};
  NfsService x_service;
  NfsWorker x_worker;
  std::uint16_t x_port = 0;
  std::thread x_thread;
};

/// A call of the test program, with its record mark.
std::string call(std::uint32_t xid, std::uint32_t procedure, const std::string& arguments = {});
std::string opaque(std::string_view data);
std::string number(std::uint32_t n);

struct RpcReply {
  std::uint32_t xid = 0;
  std::uint32_t status = UINT32_MAX;  ///< accept status, UINT32_MAX: denied or none came
  std::string results;
};
/// The next record of the connection; status UINT32_MAX at its end.
RpcReply next_reply(RawClient& client);

}  // namespace outcrop::server::testing
