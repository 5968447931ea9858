#include "api/nfs/v3/call.h"

#include "api/nfs/v3/op_table.h"

namespace outcrop::nfs::v3 {

void write_handle(XdrWriter& out, const Call& call, const Target& like, ns::FileId file) {
  out.opaque(call.service.handles.seal({like.on->id, file}));
}

DirectoryArgument read_directory_argument(XdrReader& in) {
  const ConstBytes handle = read_handle(in);
  return {handle, in.string(kMaxRecordBytes)};
}

Async<Status> open(const Call& call, ConstBytes handle, Target& target) {
  const std::optional<Handle> named = call.service.handles.open(handle);
  if (!named || named->pseudo()) {
    co_return Status::badhandle;
  }
  const ExportPtr on = call.service.exports.find(named->export_id);
  if (!on) {
    co_return Status::stale;
  }
  if (admit(call.peer, *on) != Admission::granted) {
    call.note.on = on;
    call.note.refused = true;
    co_return Status::acces;
  }
  if (call.op.writes) {
    call.note.on = on;
    call.note.about(named->file);
  }
  if (!call.scope.known_root(*on, named->file.root)) {
    const Result<void> checked = co_await call.scope.check_root(*on, named->file.root);
    if (!checked) {
      co_return to_status(checked);
    }
  }
  const Result<ns::FileAttributes> found = co_await call.service.files.get_attributes(named->file);
  if (!found) {
    co_return to_status(found);
  }
  target.on = on;
  target.actor = squash(call.credentials, *on);
  if (call.op.writes) {
    call.note.act_as(target.actor);
  }
  target.attributes = shown(*found, *on);
  co_return call.op.writes && !on->writable() ? Status::rofs : Status::ok;
}

Async<Status> open_directory(const Call& call, ConstBytes handle, unsigned wanted, Target& target) {
  const Status status = co_await open(call, handle, target);
  if (status != Status::ok) {
    co_return status;
  }
  if (target.attributes->type != ns::FileType::directory) {
    co_return Status::notdir;
  }
  co_return may(target.actor, *target.attributes, wanted) ? Status::ok : Status::acces;
}

Status check_name(std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    return Status::acces;
  }
  return name.size() > ns::kMaxFileNameBytes ? Status::nametoolong : Status::ok;
}

Async<Shown> refreshed(const Call& call, const Target& target) {
  if (!target.attributes) {
    co_return std::nullopt;
  }
  const auto now = co_await call.service.files.get_attributes(target.file());
  if (!now) {
    co_return target.attributes;
  }
  co_return shown(*now, *target.on);
}

Async<Wcc> settle(const Call& call,
                  const Target& directory,
                  std::optional<ns::DirectoryChange> change) {
  Wcc wcc;
  wcc.after = co_await refreshed(call, directory);
  if (change && wcc.after && change->before == directory.attributes->change &&
      change->after == wcc.after->change) {
    wcc.before = directory.attributes;
  }
  co_return wcc;
}

}  // namespace outcrop::nfs::v3
