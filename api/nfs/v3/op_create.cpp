// CREATE, MKDIR, SYMLINK, MKNOD (RFC 1813 sections 3.3.8 to 3.3.11).
#include "api/nfs/file_type.h"
#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {
namespace {

enum CreateHow : std::uint32_t { kUnchecked = 0, kGuarded = 1, kExclusive = 2 };

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

ns::CreateRequest read_create_how(XdrReader& in, std::int64_t now_ns) {
  ns::CreateRequest out;
  switch (in.u32()) {
    case kUnchecked:
      out.how = ns::CreateMode::unchecked;
      out.attributes = read_asked(in, now_ns).set;
      break;
    case kGuarded:
      out.how = ns::CreateMode::guarded;
      out.attributes = read_asked(in, now_ns).set;
      break;
    case kExclusive:
      out.how = ns::CreateMode::exclusive;
      out.verifier = in.u64();
      break;
    default:
      in.fail();
  }
  return out;
}

/// UNCHECKED on a name that is taken: a regular file is opened, and cut if that was asked for, as
/// its own permissions allow.
Task<ns::Created> open_existing(const Call& call,
                                const Target& directory,
                                ns::FileAttributes found,
                                const ns::SetAttributes& asked) {
  if (found.type != ns::FileType::regular) {
    co_return fail(Errc::already_exists);
  }
  if (asked.size) {
    const ns::FileAttributes now = shown(found, *directory.on);
    ns::SetAttributes cut;
    cut.size = asked.size;
    CO_TRYV(may_set(directory.actor, now, cut));
    cut.mode = mode_after_write(directory.actor, now);
    CO_TRY(found, co_await call.service.files.set_attributes(found.id, cut));
  }
  const std::uint64_t change = directory.attributes->change;
  co_return ns::Created{found, {change, change}, false};
}

Task<ns::Created> create(const Call& call,
                         const Target& directory,
                         std::string_view name,
                         const ns::CreateRequest& request) {
  ns::FileSystem& files = call.service.files;
  const bool may_make = may(directory.actor, *directory.attributes, kMayWrite);
  if (may_make) {
    ns::CreateRequest made = request;
    made.attributes =
        initial(directory.actor, *directory.attributes, ns::FileType::regular, request.attributes);
    // What is there already is not opened with the directory's permissions, but below.
    if (made.how == ns::CreateMode::unchecked) {
      made.how = ns::CreateMode::guarded;
    }
    Result<ns::Created> done = co_await files.create(directory.file(), name, made);
    const bool taken = !done && done.error().code() == Errc::already_exists;
    if (!taken || request.how != ns::CreateMode::unchecked) {
      co_return done;
    }
  }
  const Result<ns::FileAttributes> found = co_await files.lookup(directory.file(), name);
  if (!found) {
    const bool absent = found.error().code() == Errc::not_found;
    // It was there a moment ago if it could have been made: the client tries again.
    co_return fail(!absent ? found.error()
                           : Error(may_make ? Errc::conflict : Errc::access_denied));
  }
  if (request.how != ns::CreateMode::unchecked) {
    co_return fail(Errc::already_exists);
  }
  co_return co_await open_existing(call, directory, *found, request.attributes);
}

/// What the three of them answer.
Async<Status> answer(const Call& call,
                     const Target& directory,
                     Status status,
                     const Result<ns::Created>& done,
                     XdrWriter& out) {
  const bool made = status == Status::ok;
  std::optional<ns::DirectoryChange> change;
  if (made) {
    change = done->parent;
  }
  const Wcc wcc = co_await settle(call, directory, change);
  write_status(out, status);
  if (made) {
    out.boolean(true);
    write_handle(out, call, directory, done->attributes.id);
    write_post_op(out, shown(done->attributes, *directory.on), directory.on.get());
  }
  write_wcc(out, wcc, directory.on.get());
  co_return status;
}

/// Names that are always taken.
Status check_new_name(std::string_view name) {
  return is_dot(name) ? Status::exist : check_name(name);
}

}  // namespace

Async<Status> op_create(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument where = read_directory_argument(in);
  const ns::CreateRequest request = read_create_how(in, call.service.clock.wall_ns());
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = where.name;
  Target directory;
  Result<ns::Created> done;
  Status status = co_await open_directory(call, where.handle, kMayExecute, directory);
  if (status == Status::ok) {
    status = check_new_name(where.name);
  }
  if (status == Status::ok) {
    done = co_await create(call, directory, where.name, request);
    status = to_status(done);
    // A directory of that name; not among the errors of CREATE.
    status = status == Status::isdir ? Status::exist : status;
  }
  co_return co_await answer(call, directory, status, done, out);
}

Async<Status> op_mkdir(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument where = read_directory_argument(in);
  const AskedAttributes asked = read_asked(in, call.service.clock.wall_ns());
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = where.name;
  Target directory;
  Result<ns::Created> done;
  Status status = co_await open_directory(call, where.handle, kMayWrite | kMayExecute, directory);
  if (status == Status::ok) {
    status = check_new_name(where.name);
  }
  if (status == Status::ok) {
    const ns::SetAttributes set =
        initial(directory.actor, *directory.attributes, ns::FileType::directory, asked.set);
    done = co_await call.service.files.make_directory(directory.file(), where.name, set);
    status = to_status(done);
  }
  co_return co_await answer(call, directory, status, done, out);
}

Async<Status> op_symlink(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument where = read_directory_argument(in);
  const AskedAttributes asked = read_asked(in, call.service.clock.wall_ns());
  const std::string_view target = in.string(kMaxRecordBytes);
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = where.name;
  Target directory;
  Result<ns::Created> done;
  Status status = co_await open_directory(call, where.handle, kMayWrite | kMayExecute, directory);
  if (status == Status::ok) {
    status = check_new_name(where.name);
  }
  if (status == Status::ok && target.size() > ns::kMaxSymlinkBytes) {
    status = Status::nametoolong;
  }
  if (status == Status::ok) {
    const ns::SetAttributes set =
        initial(directory.actor, *directory.attributes, ns::FileType::symlink, asked.set);
    done = co_await call.service.files.make_symlink(directory.file(), where.name, target, set);
    status = to_status(done);
  }
  co_return co_await answer(call, directory, status, done, out);
}

Async<Status> op_mknod(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument where = read_directory_argument(in);
  const ns::FileType type = file_type(in.u32()).value_or(ns::FileType::regular);
  AskedAttributes asked;
  ns::DeviceNumber device;
  if (ns::is_special(type)) {
    asked = read_asked(in, call.service.clock.wall_ns());
  }
  if (ns::is_device(type)) {
    device = {.major = in.u32(), .minor = in.u32()};
  }
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = where.name;
  Target directory;
  Status status = co_await open_directory(call, where.handle, kMayWrite | kMayExecute, directory);
  if (status == Status::ok && !ns::is_special(type)) {
    status = Status::badtype;
  }
  if (status == Status::ok) {
    status = may_make(directory.actor, type) ? check_new_name(where.name) : Status::perm;
  }
  Result<ns::Created> done;
  if (status == Status::ok) {
    const ns::SetAttributes set = initial(directory.actor, *directory.attributes, type, asked.set);
    done = co_await call.service.files.make_node(directory.file(), where.name, type, device, set);
    status = to_status(done);
  }
  co_return co_await answer(call, directory, status, done, out);
}

}  // namespace outcrop::nfs::v3
