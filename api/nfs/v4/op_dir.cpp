// Operations on names: CREATE, REMOVE, RENAME, LINK, READLINK.
#include "api/nfs/file_type.h"
#include "api/nfs/v4/names.h"
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxLinkText = 64 << 10;  ///< as a record may carry it; longer is BADXDR

struct CreateArguments {
  std::optional<ns::FileType> type;
  ns::DeviceNumber device;
  std::string_view target, name;
  WireAttributes attributes;
};

CreateArguments read_create(XdrReader& in) {
  CreateArguments out;
  out.type = file_type(in.u32());
  if (out.type == ns::FileType::symlink) {
    out.target = in.string(kMaxLinkText);
  } else if (out.type && ns::is_device(*out.type)) {
    out.device = {.major = in.u32(), .minor = in.u32()};
  }
  out.name = in.string(kMaxRecordBytes);
  out.attributes = WireAttributes::read(in);
  return out;
}

/// OPEN makes regular files.
Status check_type(const CreateArguments& args, const FileRef& parent) {
  if (!args.type || args.type == ns::FileType::regular) {
    return Status::badtype;
  }
  if (args.type == ns::FileType::symlink) {
    if (args.target.empty() || !valid_utf8(args.target)) {
      return Status::inval;
    }
    return args.target.size() > ns::kMaxSymlinkBytes ? Status::nametoolong : Status::ok;
  }
  return may_make(*parent.actor, *args.type) ? Status::ok : Status::perm;
}

/// Both directories of a LINK or RENAME; the saved one was put before and may have changed.
Status same_export(const Compound& c) {
  if (c.saved->pseudo() || c.current->pseudo()) {
    return c.saved->pseudo() == c.current->pseudo() ? Status::rofs : Status::xdev;
  }
  if (c.saved->insecure) {
    return Status::wrongsec;
  }
  return c.saved->on->id == c.current->on->id ? Status::ok : Status::xdev;
}

Status directory_error(Status status) {
  return status == Status::symlink ? Status::notdir : status;
}

/// The sticky rule for the entry that is to lose its name; noent if there is none.
Async<Status> check_unlink(Compound& c, const FileRef& directory, std::string_view name) {
  const Result<ns::FileAttributes> entry = co_await c.files().lookup(directory.file(), name);
  if (!entry) {
    co_return to_status(entry.error());
  }
  const bool allowed = may_unlink(*directory.actor, *directory.known, shown(*entry, *directory.on));
  co_return allowed ? Status::ok : Status::access;
}

}  // namespace

void write_change(XdrWriter& out, const ns::DirectoryChange& change) {
  out.boolean(true);
  out.u64(change.before);
  out.u64(change.after);
}

ns::SetAttributes owned(const FileRef& parent, ns::SetAttributes set) {
  constexpr std::uint32_t kSetGid = 02000;
  const Actor& actor = *parent.actor;
  const bool inherit = (parent.known->mode & kSetGid) != 0;
  set.uid = set.uid.value_or(actor.uid);
  set.gid = set.gid.value_or(inherit ? parent.known->gid : actor.gid);
  return set;
}

Status check_create_attributes(const FileRef& parent, const ns::SetAttributes& set) {
  // As if the caller, who owns the new object, changed it afterwards.
  ns::FileAttributes made;
  made.uid = parent.actor->uid;
  made.gid = parent.actor->gid;
  const Result<void> allowed = may_set(*parent.actor, made, set);
  return allowed ? Status::ok : to_status(allowed.error());
}

Async<Status> op_create(Compound& c, XdrReader& in, XdrWriter& out) {
  const CreateArguments args = read_create(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  c.note.first_name = args.name;
  FileRef& parent = *c.current;
  Status status = directory_error(co_await c.load_directory(parent, kMayWrite | kMayExecute));
  status = status == Status::ok ? check_type(args, parent) : status;
  status = first_error(status, check_name(args.name));
  SetRequest request;
  if (status == Status::ok) {
    status = parse_settable(args.attributes, c.minor, SetPurpose::create, c.now(), request);
  }
  if (status == Status::ok && request.set.size) {
    status = Status::inval;
  }
  status = status == Status::ok ? check_create_attributes(parent, request.set) : status;
  if (status != Status::ok) {
    co_return status;
  }
  ns::SetAttributes set = owned(parent, request.set);
  Result<ns::Created> made;
  if (args.type == ns::FileType::directory) {
    set.mode = set.mode.value_or(0755) | (parent.known->mode & 02000);
    made = co_await c.files().make_directory(parent.file(), args.name, set);
  } else if (args.type == ns::FileType::symlink) {
    made = co_await c.files().make_symlink(parent.file(), args.name, args.target, set);
  } else {
    made = co_await c.files().make_node(parent.file(), args.name, *args.type, args.device, set);
  }
  if (!made) {
    co_return to_status(made.error());
  }
  write_change(out, made->parent);
  request.given.write(out);
  c.put(c.ref(made->attributes, parent));
  co_return Status::ok;
}

Async<Status> op_remove(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view name = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (c.core.state.in_grace()) {
    co_return Status::grace;  // a client may be about to reclaim what would go
  }
  c.note.first_name = name;
  FileRef& directory = *c.current;
  Status status = directory_error(co_await c.load_directory(directory, kMayExecute));
  status = first_error(status, check_name(name));
  if (status == Status::ok) {
    status = co_await check_unlink(c, directory, name);
  }
  if (status != Status::ok) {
    co_return status;
  }
  const Result<ns::Removed> gone =
      co_await c.files().remove(directory.file(), name, ns::RemoveKind::any);
  if (!gone) {
    co_return to_status(gone.error());
  }
  directory.known.reset();
  write_change(out, gone->parent);
  co_return Status::ok;
}

Async<Status> op_rename(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view from_name = in.string(kMaxRecordBytes);
  const std::string_view to_name = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (c.core.state.in_grace()) {
    co_return Status::grace;  // a client may be about to reclaim what would go
  }
  c.note.first_name = from_name;
  c.note.second_name = to_name;
  FileRef& from = *c.saved;
  FileRef& to = *c.current;
  from.known.reset();
  Status status = directory_error(co_await c.load_directory(from, kMayExecute));
  if (status == Status::ok) {
    status = directory_error(co_await c.load_directory(to, kMayExecute));
  }
  status = first_error(status, check_name(from_name));
  status = first_error(status, check_name(to_name));
  status = first_error(status, same_export(c));
  if (status == Status::ok) {
    status = co_await check_unlink(c, from, from_name);
  }
  if (status == Status::ok) {
    status = co_await check_unlink(c, to, to_name);
    const bool writable = c.may(to, kMayWrite);
    status = status == Status::noent ? (writable ? Status::ok : Status::access) : status;
  }
  if (status != Status::ok) {
    co_return status;
  }
  const Result<ns::Renamed> moved =
      co_await c.files().rename(from.file(), from_name, to.file(), to_name);
  if (!moved) {
    co_return to_status(moved.error());
  }
  from.known.reset();
  to.known.reset();
  write_change(out, moved->from);
  write_change(out, moved->to);
  co_return Status::ok;
}

Async<Status> op_link(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view name = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  c.note.second_name = name;
  FileRef& file = *c.saved;
  FileRef& directory = *c.current;
  file.known.reset();
  Status status = directory_error(co_await c.load_directory(directory, kMayWrite | kMayExecute));
  if (status == Status::ok) {
    status = co_await c.load(file);
  }
  status = first_error(status, check_name(name));
  if (status == Status::ok && file.known->type == ns::FileType::directory) {
    status = Status::isdir;
  }
  status = first_error(status, same_export(c));
  if (status != Status::ok) {
    co_return status;
  }
  const Result<ns::Created> made = co_await c.files().link(file.file(), directory.file(), name);
  if (!made) {
    co_return to_status(made.error());
  }
  directory.known.reset();
  write_change(out, made->parent);
  co_return Status::ok;
}

Async<Status> op_readlink(Compound& c, XdrReader&, XdrWriter& out) {
  if (const Status status = co_await c.load(*c.current); status != Status::ok) {
    co_return status;
  }
  if (c.current->known->type != ns::FileType::symlink) {
    // 4.0 and 4.1 say INVAL, 4.1 also WRONG_TYPE for what is neither a file nor a directory.
    co_return Status::inval;
  }
  const Result<std::string> target = co_await c.files().read_symlink(c.current->file());
  if (!target) {
    co_return to_status(target.error());
  }
  out.string(*target);
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
