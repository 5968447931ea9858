// Who a call acts as after squashing, and what permission bits let them do (POSIX rules; NFS keeps
// the owner able to read and write what they opened).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "api/nfs/export.h"
#include "api/nfs/rpc.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

struct Actor {
  std::uint32_t uid = kNobody, gid = kNobody;
  std::vector<std::uint32_t> groups;
  bool superuser = false;  ///< uid 0 on an export that does not squash it
  bool in_group(std::uint32_t wanted) const;
};

Actor squash(const Credentials& credentials, const Export& on);

/// Attributes as clients of the export see them: what has no owner belongs to the anonymous user.
ns::FileAttributes shown(ns::FileAttributes attributes, const Export& on);

inline constexpr unsigned kMayRead = 4, kMayWrite = 2, kMayExecute = 1;
/// Which of the three bits the actor has on a file with these (shown) attributes.
unsigned permitted(const Actor& actor, const ns::FileAttributes& attributes);
bool may(const Actor& actor, const ns::FileAttributes& attributes, unsigned wanted);
/// Sticky directories: only the owner of the entry or of the directory removes or renames it.
bool may_unlink(const Actor& actor,
                const ns::FileAttributes& directory,
                const ns::FileAttributes& entry);
/// chmod, chown, utimes, truncate: ok, access_denied (may retry as another user) or not_permitted.
Result<void> may_set(const Actor& actor,
                     const ns::FileAttributes& attributes,
                     const ns::SetAttributes& wanted);

}  // namespace outcrop::nfs
