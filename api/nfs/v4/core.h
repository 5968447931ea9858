// What all compounds of the server share.
#pragma once
#include "api/nfs/dispatch.h"
#include "api/nfs/export_scope.h"
#include "api/nfs/reply_cache.h"
#include "api/nfs/v4/attributes.h"
#include "api/nfs/v4/pseudo_fs.h"
#include "api/nfs/v4state/state_manager.h"

namespace outcrop::nfs::v4 {

inline constexpr Fsid kPseudoFsid{.major = 0, .minor = 1};  ///< exports start at major 1

struct Core {
  Service service;
  StateManager& state;
  Observer observer;
  std::string server_id;  ///< see Nfs4
  ExportScope scope;
  ReplyCache replies;  ///< of 4.0: what changed something and has no owner's sequence number
  PseudoFs pseudo;

  /// The boot id: what a client wrote UNSTABLE before it changed may be gone.
  Verifier write_verifier() const { return std::bit_cast<Verifier>(service.files.boot_id()); }
  std::uint32_t lease_seconds() const { return state.config().lease_seconds(); }
};

}  // namespace outcrop::nfs::v4
