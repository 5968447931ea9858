// Who a call acts as after squashing, and what permission bits let them do (POSIX rules; NFS keeps
// the owner able to read and write what they opened).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "api/nfs/export.h"
#include "api/nfs/peer.h"
#include "api/nfs/rpc.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

/// Whether an export serves a peer at all; to be asked on every operation, for exports change.
enum class Admission : std::uint8_t {
  granted,
  wrong_address,  ///< not in `clients`: the export does not exist for this peer
  needs_tls,  ///< the right client, on a connection that is less protected than the export wants
};
Admission admit(const Peer& peer, const Export& on);

struct Actor {
  std::uint32_t uid = kNobody, gid = kNobody;
  std::vector<std::uint32_t> groups;
  bool superuser = false;           ///< uid 0 on an export that does not squash it
  bool reads = true, lists = true;  ///< as far as the policies of the export's identity go
  bool in_group(std::uint32_t wanted) const;
};

Actor squash(const Credentials& credentials, const Export& on);

/// Attributes as clients of the export see them: what has no owner belongs to the anonymous user.
ns::FileAttributes shown(ns::FileAttributes attributes, const Export& on);

inline constexpr unsigned kMayRead = 4, kMayWrite = 2, kMayExecute = 1;
/// Which of the three bits the actor has on a file with these (shown) attributes.
unsigned permitted(const Actor& actor, const ns::FileAttributes& attributes);
bool may(const Actor& actor, const ns::FileAttributes& attributes, unsigned wanted);
/// For READ, WRITE and truncation without an open that was checked before: the owner always may
/// (programs write to files that they have just made 0444), and who may execute may read.
bool may_transfer(const Actor& actor, const ns::FileAttributes& attributes, unsigned wanted);
/// Device nodes are the superuser's to make: one opens the hardware of every client that mounts it.
bool may_make(const Actor& actor, ns::FileType type);
/// Write and search permission on the directory; in sticky directories, also: only the owner of the
/// entry or of the directory removes or renames it.
bool may_unlink(const Actor& actor,
                const ns::FileAttributes& directory,
                const ns::FileAttributes& entry);
/// chmod, chown, utimes, truncate: ok, access_denied (may retry as another user) or not_permitted.
/// `times_to_now`: the times in `wanted` are the server's clock, which who may write may set.
Result<void> may_set(const Actor& actor,
                     const ns::FileAttributes& attributes,
                     const ns::SetAttributes& wanted,
                     bool times_to_now = false);
/// `wanted` with what POSIX takes away silently: set-id bits of a file that changes owner, and
/// set-gid from those who are not in the group.
ns::SetAttributes settled(const Actor& actor,
                          const ns::FileAttributes& attributes,
                          ns::SetAttributes wanted);

}  // namespace outcrop::nfs
