// One call of NFSv3 on its way: who asks, what the handles open, and what the directory looked
// like.
#pragma once
#include <optional>
#include <string_view>

#include "api/nfs/access.h"
#include "api/nfs/dispatch.h"
#include "api/nfs/export_scope.h"
#include "api/nfs/v3/attributes.h"
#include "api/nfs/v3/status.h"

namespace outcrop::nfs::v3 {

inline constexpr std::size_t kMaxHandleBytes = 64;  ///< NFS3_FHSIZE

struct Op;

/// Borrowed from the program and its caller; lives as long as the call.
struct Call {
  const Service& service;
  ExportScope& scope;
  const Peer& peer;
  const Credentials& credentials;
  const Op& op;
  AuditNote& note;
  std::size_t most_data = SIZE_MAX;  ///< RpcCall's
};

/// A file or directory that a handle opened. `attributes` are there also if the call was refused
/// after they were known, for the reply carries them then.
struct Target {
  ExportPtr on;  ///< null: the handle did not open
  Actor actor;
  Shown attributes;
  ns::FileId file() const { return attributes->id; }
};

/// nfs_fh3; a view of the call.
inline ConstBytes read_handle(XdrReader& in) { return in.opaque(kMaxHandleBytes); }
void write_handle(XdrWriter& out, const Call& call, const Target& like, ns::FileId file);
/// diropargs3; the name has any length, nothing is allocated for it.
struct DirectoryArgument {
  ConstBytes handle;
  std::string_view name;
};
DirectoryArgument read_directory_argument(XdrReader& in);

/// Everything that stands between a handle and its file, in this order: MAC, export, bucket, client
/// address, transport security, the file itself, squashing, read-only exports.
Async<Status> open(const Call& call, ConstBytes handle, Target& target);
/// The same for a directory in which the actor needs `wanted` (acces): notdir for others.
Async<Status> open_directory(const Call& call, ConstBytes handle, unsigned wanted, Target& target);

/// What RFC 1813 section 3.2 wants of names: acces if empty or impossible, nametoolong.
Status check_name(std::string_view name);

/// What the call did to the directory: fresh attributes, and those before the call if `change`
/// proves that nothing else happened in between.
Async<Wcc> settle(const Call& call,
                  const Target& directory,
                  std::optional<ns::DirectoryChange> change);
/// Fresh attributes of a file after a call; those before it if they cannot be had.
Async<Shown> refreshed(const Call& call, const Target& target);

inline void write_status(XdrWriter& out, Status status) {
  out.u32(static_cast<std::uint32_t>(status));
}

}  // namespace outcrop::nfs::v3
