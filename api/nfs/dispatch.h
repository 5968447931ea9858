// From a received record to a reply: parses the call, finds its program and version, and lets it
// answer. The session (server/nfs_session) moves the bytes; programs never see sockets.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/nfs/audit.h"
#include "api/nfs/export.h"
#include "api/nfs/handle.h"
#include "api/nfs/peer.h"
#include "api/nfs/rpc.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/base/task.h"
#include "storage/ns/file_system.h"
#include "storage/ns/namespace.h"

namespace outcrop::nfs {

/// Called once per operation ("nfs3.READ", "nfs4.OPEN"), on its worker. `status`: the protocol's
/// number, 0 is success. Must not throw.
using Observer = std::function<void(std::uint32_t operation,
                                    std::uint32_t status,
                                    std::uint64_t bytes_in,
                                    std::uint64_t bytes_out,
                                    std::int64_t duration_ns)>;

/// What all programs work on; borrowed, outlives them.
struct Service {
  ns::Namespace& buckets;
  ns::FileSystem& files;
  ExportTable& exports;
  const HandleCodec& handles;
  const Clock& clock;
  Random& random;
  Auditor* audit = nullptr;  ///< null: no audit log
};

/// One version of one RPC program. Any worker.
class Program {
 public:
  virtual ~Program() = default;
  virtual std::uint32_t program() const = 0;
  virtual std::uint32_t version() const = 0;
  /// Every procedure but NULL, which the dispatcher answers. Writes the whole reply, header
  /// included, into the empty `reply`. Nothing written: no reply at all (a retransmission of a call
  /// that is still being served).
  virtual Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) = 0;
};

/// Any worker; does not change after it was made.
class Dispatcher {
 public:
  /// `programs` are borrowed.
  explicit Dispatcher(std::vector<Program*> programs) : x_programs(std::move(programs)) {}

  /// What a record is answered with.
  enum class Outcome : std::uint8_t {
    reply,     ///< send what is in the writer, if anything
    starttls,  ///< send it, then start the TLS handshake (AUTH_TLS probe, RFC 9289)
    hang_up,   ///< not RPC: close the connection
  };

  /// Parses the call and finds who answers it. Null: the answer, if there is one, is in `reply`
  /// already (NULL procedures, refusals), and `outcome` says what to do with it.
  Program* route(
      Buffer record, bool tls_offered, RpcCall& call, XdrWriter& reply, Outcome& outcome) const;
  /// route() and the call. `reply` is empty.
  Async<Outcome> serve(const Peer& peer, Buffer record, bool tls_offered, XdrWriter& reply) const;

 private:
  bool answer_null(RpcCall& call, bool tls_offered, XdrWriter& reply, Outcome& outcome) const;
  Program* find(const RpcCall& call, XdrWriter& reply) const;

  std::vector<Program*> x_programs;
};

}  // namespace outcrop::nfs
