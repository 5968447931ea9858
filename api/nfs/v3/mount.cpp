#include "api/nfs/v3/mount.h"

#include <algorithm>
#include <array>

#include "api/nfs/access.h"
#include "api/nfs/v3/status.h"

namespace outcrop::nfs::v3 {
namespace {

enum Procedure : std::uint32_t {
  kNull = 0,
  kMnt = 1,
  kDump = 2,
  kUmnt = 3,
  kUmntAll = 4,
  kExport = 5,
};
constexpr std::array<std::string_view, 6> kNames{"NULL", "MNT",     "DUMP",
                                                 "UMNT", "UMNTALL", "EXPORT"};

// mountstat3
constexpr std::uint32_t kOk = 0, kNoEntry = 2, kIo = 5, kAccess = 13, kNotDirectory = 20,
                        kInvalid = 22, kNameTooLong = 63, kServerFault = 10006;
constexpr std::uint32_t kGarbage = UINT32_MAX;

/// The most path components of a MNT below its export.
constexpr std::size_t kMaxComponents = 256;

/// "//a/./b/" -> "/a/b"; empty: it is relative, goes up, or has too many components.
std::string tidy(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) {
    return {};
  }
  std::string out;
  std::size_t components = 0;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == ".." || ++components > kMaxComponents) {
      return {};
    }
    out.append("/").append(name);
  }
  return out;
}

/// The export that the path is or lies below (they do not nest), and the rest of the path.
ExportPtr find_export(const ExportList& exports, std::string_view path, std::string_view& below) {
  for (const ExportPtr& e : exports) {
    if (path.starts_with(e->path) &&
        (path.size() == e->path.size() || path[e->path.size()] == '/')) {
      below = path.substr(std::min(path.size(), e->path.size() + 1));
      return e;
    }
  }
  return nullptr;
}

std::uint32_t to_mount_status(const Error& error) {
  switch (to_status(error)) {
    case Status::noent:
    case Status::stale:
      return kNoEntry;
    case Status::io:
      return kIo;
    case Status::nametoolong:
      return kNameTooLong;
    case Status::notdir:
      return kNotDirectory;
    case Status::inval:
      return kInvalid;
    default:
      return kServerFault;  // mountstat3 has no more
  }
}

}  // namespace

std::string_view mount_procedure_name(std::uint32_t procedure) {
  return procedure < kNames.size() ? kNames[procedure] : std::string_view();
}

Async<> Mount3::call(const Peer& peer, RpcCall& call, XdrWriter& reply) {
  if (call.procedure >= kNames.size()) {
    write_accepted(reply, call.xid, AcceptStatus::procedure_unavailable);
    co_return;
  }
  const std::int64_t started = x_service.clock.steady_ns();
  const std::size_t bytes_in = call.arguments.left();
  const XdrWriter::Mark empty = reply.mark();
  write_accepted(reply, call.xid, AcceptStatus::success);
  const std::uint32_t status = co_await serve(peer, call, reply);
  if (status == kGarbage) {
    reply.rewind(empty);
    write_accepted(reply, call.xid, AcceptStatus::garbage_arguments);
  }
  if (x_observer) {
    x_observer(call.procedure, status, bytes_in, reply.size(),
               x_service.clock.steady_ns() - started);
  }
}

Async<std::uint32_t> Mount3::serve(const Peer& peer, RpcCall& call, XdrWriter& reply) {
  switch (call.procedure) {
    case kMnt:
      co_return co_await mnt(peer, call.arguments, reply);
    case kDump:
      co_return dump(peer, call.arguments, reply);
    case kUmnt:
      co_return umnt(peer, call.arguments);
    case kUmntAll:
      co_return umntall(peer, call.arguments);
    case kExport:
      co_return list_exports(peer, call.arguments, reply);
    default:
      co_return kOk;  // NULL
  }
}

Task<ns::FileAttributes> Mount3::find(const Export& on, std::string_view below) {
  if (below.empty()) {
    co_return co_await x_scope.top(on);
  }
  std::string path = on.prefix;
  path.append(path.empty() ? "" : "/").append(below);
  co_return co_await x_service.files.resolve(on.bucket, path);
}

Async<std::uint32_t> Mount3::mnt(const Peer& peer, XdrReader& in, XdrWriter& out) {
  const std::string_view asked = in.string(kMaxRecordBytes);
  if (!in.done()) {
    co_return kGarbage;
  }
  const std::string path = asked.size() > kMaxMountPath ? std::string() : tidy(asked);
  const ExportListPtr exports = x_service.exports.list();
  std::string_view below;
  const ExportPtr on = find_export(*exports, path, below);
  AuditNote note{.on = on};
  std::uint32_t status = kOk;
  Result<ns::FileAttributes> found;
  if (asked.size() > kMaxMountPath) {
    status = kNameTooLong;
  } else if (!on) {
    status = kNoEntry;
  } else if (admit(peer, *on) != Admission::granted) {
    status = kAccess;
    note.refused = true;
  } else {
    found = co_await find(*on, below);
    status = found ? kOk : to_mount_status(found.error());
  }
  out.u32(status);
  if (status == kOk) {
    out.opaque(x_service.handles.seal({on->id, found->id}));
    out.u32(2);
    out.u32(static_cast<std::uint32_t>(AuthFlavor::sys));
    out.u32(static_cast<std::uint32_t>(AuthFlavor::none));
    note.first = found->id;
    remember(peer, path);
  } else {
    note.first_name = asked;
  }
  if (x_service.audit != nullptr) {
    co_await x_service.audit->record(peer, "mount3.MNT", status, note);
  }
  co_return status;
}

void Mount3::remember(const Peer& peer, std::string path) {
  Mounted mounted{peer.address, std::move(path)};
  const std::lock_guard lock(x_mutex);
  if (std::ranges::find(x_mounted, mounted) != x_mounted.end()) {
    return;
  }
  if (x_mounted.size() == kMaxMountList) {
    x_mounted.pop_front();
  }
  x_mounted.push_back(std::move(mounted));
}

/// A client sees what it mounted itself, this machine sees everything.
std::uint32_t Mount3::dump(const Peer& peer, XdrReader& in, XdrWriter& out) {
  if (!in.done()) {
    return kGarbage;
  }
  const std::lock_guard lock(x_mutex);
  for (const Mounted& m : x_mounted) {
    if (m.client == peer.address || peer.address.is_loopback()) {
      out.boolean(true);
      out.string(m.client.to_string());
      out.string(m.path);
    }
  }
  out.boolean(false);
  return kOk;
}

std::uint32_t Mount3::umnt(const Peer& peer, XdrReader& in) {
  const std::string_view path = in.string(kMaxRecordBytes);
  if (!in.done()) {
    return kGarbage;
  }
  if (path.size() <= kMaxMountPath) {
    const Mounted gone{peer.address, tidy(path)};
    const std::lock_guard lock(x_mutex);
    std::erase(x_mounted, gone);
  }
  return kOk;
}

std::uint32_t Mount3::umntall(const Peer& peer, XdrReader& in) {
  if (!in.done()) {
    return kGarbage;
  }
  const std::lock_guard lock(x_mutex);
  std::erase_if(x_mounted, [&peer](const Mounted& m) { return m.client == peer.address; });
  return kOk;
}

std::uint32_t Mount3::list_exports(const Peer& peer, XdrReader& in, XdrWriter& out) {
  if (!in.done()) {
    return kGarbage;
  }
  const ExportListPtr exports = x_service.exports.list();
  for (const ExportPtr& e : *exports) {
    if (admit(peer, *e) == Admission::wrong_address) {
      continue;
    }
    out.boolean(true);
    out.string(e->path);
    for (const Cidr& block : e->clients) {
      out.boolean(true);
      out.string(block.to_string().substr(0, kMaxGroupBytes));
    }
    out.boolean(false);
  }
  out.boolean(false);
  return kOk;
}

}  // namespace outcrop::nfs::v3
