// NFSv4.0, 4.1 and 4.2 (RFC 7530, 8881, 7862, 8276) as one RPC program: compounds of operations on
// the file systems of the exports and on the state of clients.
#pragma once
#include <memory>
#include <string>

#include "api/nfs/dispatch.h"
#include "api/nfs/v4state/state_manager.h"

namespace outcrop::nfs::v4 {

struct Core;

inline constexpr std::size_t kMaxTagBytes = 1024;  ///< longer: the call is garbage

/// Any worker. Owns no state of clients; `state` and all of `service` are borrowed.
class Nfs4 final : public Program {
 public:
  /// `server_id`: the same for all servers of a cluster and over restarts, unlike any other
  /// cluster's (so_major_id and eir_server_scope). `observer` may be empty.
  Nfs4(const Service& service, StateManager& state, std::string server_id, Observer observer = {});
  ~Nfs4() override;
  Nfs4(const Nfs4&) = delete;

  std::uint32_t program() const override { return kProgramNfs; }
  std::uint32_t version() const override { return 4; }
  Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) override;

 private:
  std::unique_ptr<Core> x_core;
};

/// "nfs4.OPEN" for an operation number as the observer gets it; "nfs4.ILLEGAL" for what is none.
std::string operation_name(std::uint32_t operation);

}  // namespace outcrop::nfs::v4
