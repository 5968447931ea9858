// Operations on filehandles: PUTFH, PUTROOTFH, PUTPUBFH, GETFH, SAVEFH, RESTOREFH, LOOKUP, LOOKUPP,
// SECINFO, SECINFO_NO_NAME.
#include "api/nfs/v4/names.h"
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxHandleBytes = 128;  ///< NFS4_FHSIZE

Async<Status> lookup_pseudo(Compound& c, std::string_view name, FileRef& out) {
  const PseudoNode* parent = c.pseudo().find(c.current->handle.file.ino);
  if (parent == nullptr) {
    co_return Status::stale;
  }
  const PseudoNode* node = c.pseudo().child(*parent, name, c.peer.address);
  if (node == nullptr) {
    co_return Status::noent;
  }
  if (node->junction && node->junction->allows(c.peer.address)) {
    c.note.on = node->junction;
    c.note.entered = true;
    co_return co_await c.export_root(node->junction, out);
  }
  out = c.pseudo_ref(*node);
  co_return Status::ok;
}

/// noent above the root of all. What was moved out of an exported directory has no way up: stale.
Async<Status> parent_of(Compound& c, const FileRef& from, FileRef& out) {
  if (from.pseudo()) {
    const PseudoNode* node = c.pseudo().find(from.handle.file.ino);
    const PseudoNode* parent = node == nullptr ? nullptr : c.pseudo().find(node->parent);
    if (parent == nullptr) {
      co_return Status::noent;
    }
    out = c.pseudo_ref(*parent);
    co_return Status::ok;
  }
  const Result<ns::FileAttributes> up = co_await c.core.scope.parent(*from.on, from.file());
  if (!up) {
    co_return to_status(up.error());
  }
  if (up->id != from.file()) {
    out = c.ref(*up, from);
    co_return Status::ok;
  }
  const PseudoNode* junction = c.pseudo().find(c.pseudo().mounted_on(from.on->id));
  if (junction == nullptr) {
    co_return Status::stale;
  }
  out = c.pseudo_ref(*c.pseudo().find(junction->parent));
  co_return Status::ok;
}

/// AUTH_SYS and AUTH_NONE (who is nobody) are what there is; TLS is not a flavor (RFC 9289).
void write_flavors(XdrWriter& out) {
  out.u32(2);
  out.u32(static_cast<std::uint32_t>(AuthFlavor::sys));
  out.u32(static_cast<std::uint32_t>(AuthFlavor::none));
}

Async<Status> find_child(Compound& c, std::string_view name, FileRef& out) {
  const Status status = co_await c.load_directory(*c.current, kMayExecute);
  if (status != Status::ok) {
    co_return status;
  }
  if (const Status bad = check_name(name); bad != Status::ok) {
    co_return bad;
  }
  if (c.current->pseudo()) {
    co_return co_await lookup_pseudo(c, name, out);
  }
  if (c.current->insecure) {
    co_return Status::wrongsec;
  }
  Result<ns::FileAttributes> found = co_await c.files().lookup(c.current->file(), name);
  if (!found) {
    co_return to_status(found.error());
  }
  out = c.ref(*found, *c.current);
  co_return Status::ok;
}

}  // namespace

Async<Status> op_putfh(Compound& c, XdrReader& in, XdrWriter&) {
  const ConstBytes bytes = in.opaque(kMaxHandleBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef file;
  if (const Status status = co_await c.open_handle(bytes, file); status != Status::ok) {
    co_return status;
  }
  if (const Status status = co_await c.load(file); status != Status::ok) {
    co_return status;
  }
  c.put(std::move(file));
  co_return Status::ok;
}

Async<Status> op_putrootfh(Compound& c, XdrReader&, XdrWriter&) {
  c.put(c.pseudo_ref(c.pseudo().root()));
  co_return Status::ok;
}

Async<Status> op_getfh(Compound& c, XdrReader&, XdrWriter& out) {
  out.opaque(c.core.service.handles.seal(c.current->handle));
  co_return Status::ok;
}

Async<Status> op_savefh(Compound& c, XdrReader&, XdrWriter&) {
  c.saved = c.current;
  c.saved_stateid = c.current_stateid;
  co_return Status::ok;
}

Async<Status> op_restorefh(Compound& c, XdrReader&, XdrWriter&) {
  if (!c.saved) {
    co_return Status::restorefh;
  }
  c.current = c.saved;
  c.current->known.reset();  // operations between may have changed it
  c.current_stateid = c.saved_stateid;
  co_return Status::ok;
}

Async<Status> op_lookup(Compound& c, XdrReader& in, XdrWriter&) {
  const std::string_view name = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef found;
  const Status status = co_await find_child(c, name, found);
  if (status != Status::ok) {
    co_return status;
  }
  if (found.insecure) {
    co_return Status::wrongsec;
  }
  c.put(std::move(found));
  co_return Status::ok;
}

Async<Status> op_lookupp(Compound& c, XdrReader&, XdrWriter&) {
  Status status = co_await c.load_directory(*c.current, kMayExecute);
  if (status != Status::ok) {
    co_return status;
  }
  FileRef up;
  status = co_await parent_of(c, *c.current, up);
  if (status == Status::ok && up.insecure) {
    status = Status::wrongsec;
  }
  if (status == Status::ok) {
    c.put(std::move(up));
  }
  co_return status;
}

Async<Status> op_secinfo(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view name = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef found;
  Status status = co_await find_child(c, name, found);
  if (status == Status::symlink) {
    status = Status::notdir;
  }
  if (status != Status::ok && status != Status::wrongsec) {
    co_return status;
  }
  write_flavors(out);
  if (c.minor > 0) {
    c.current.reset();  // consumed
  }
  co_return Status::ok;
}

Async<Status> op_secinfo_no_name(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t style = in.u32();
  if (!in.ok() || style > 1) {
    co_return Status::badxdr;
  }
  if (style == 1) {
    Status status = co_await c.load_directory(*c.current, kMayExecute);
    FileRef up;
    if (status == Status::ok) {
      status = co_await parent_of(c, *c.current, up);
    }
    if (status != Status::ok) {
      co_return status == Status::symlink ? Status::notdir : status;
    }
  }
  write_flavors(out);
  c.current.reset();
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
