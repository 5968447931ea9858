// LOOKUP, REMOVE, RMDIR, RENAME, LINK (RFC 1813 sections 3.3.3 and 3.3.12 to 3.3.15).
#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {
namespace {

constexpr std::uint32_t kSticky = 01000;
constexpr unsigned kChange = kMayWrite | kMayExecute;

bool sticky(const Target& directory) { return (directory.attributes->mode & kSticky) != 0; }

Task<ns::FileAttributes> find(const Call& call, const Target& directory, std::string_view name) {
  if (name == ".") {
    co_return *directory.attributes;
  }
  if (name == "..") {
    co_return co_await call.scope.parent(*directory.on, directory.file());
  }
  co_return co_await call.service.files.lookup(directory.file(), name);
}

/// In a sticky directory, who may not remove the entry: access_denied.
Result<void> check_sticky(const Target& directory, const ns::FileAttributes& entry) {
  if (may_unlink(directory.actor, *directory.attributes, shown(entry, *directory.on))) {
    return ok();
  }
  return fail(Errc::access_denied);
}

Task<ns::Removed> remove(const Call& call,
                         const Target& directory,
                         std::string_view name,
                         ns::RemoveKind kind) {
  if (name == "..") {
    co_return fail(kind == ns::RemoveKind::directory ? Errc::already_exists
                                                     : Errc::invalid_argument);
  }
  if (name == ".") {
    co_return fail(Errc::invalid_argument);
  }
  ns::FileSystem& files = call.service.files;
  if (sticky(directory)) {
    CO_TRY(const ns::FileAttributes entry, co_await files.lookup(directory.file(), name));
    CO_TRYV(check_sticky(directory, entry));
  }
  co_return co_await files.remove(directory.file(), name, kind);
}

Async<Status> remove_entry(const Call& call, XdrReader& in, XdrWriter& out, ns::RemoveKind kind) {
  const DirectoryArgument what = read_directory_argument(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = what.name;
  Target directory;
  std::optional<ns::DirectoryChange> change;
  Status status = co_await open_directory(call, what.handle, kChange, directory);
  if (status == Status::ok) {
    status = check_name(what.name);
  }
  if (status == Status::ok) {
    const Result<ns::Removed> done = co_await remove(call, directory, what.name, kind);
    status = to_status(done);
    if (done) {
      change = done->parent;
    }
  }
  const Wcc wcc = co_await settle(call, directory, change);
  write_status(out, status);
  write_wcc(out, wcc, directory.on.get());
  co_return status;
}

/// Sticky directories, and that ".." of a directory is written when it moves.
Task<> may_move(const Call& call,
                const Target& from,
                std::string_view from_name,
                const Target& to,
                std::string_view to_name) {
  ns::FileSystem& files = call.service.files;
  const bool moves = from.file() != to.file();
  if (sticky(from) || moves) {
    CO_TRY(const ns::FileAttributes source, co_await files.lookup(from.file(), from_name));
    if (sticky(from)) {
      CO_TRYV(check_sticky(from, source));
    }
    if (moves && source.type == ns::FileType::directory &&
        !may(from.actor, shown(source, *from.on), kMayWrite)) {
      co_return fail(Errc::access_denied);
    }
  }
  if (sticky(to)) {
    const Result<ns::FileAttributes> target = co_await files.lookup(to.file(), to_name);
    if (target) {
      CO_TRYV(check_sticky(to, *target));
    } else if (target.error().code() != Errc::not_found) {
      co_return fail(target.error());
    }
  }
  co_return ok();
}

Task<ns::Renamed> rename(const Call& call,
                         const Target& from,
                         std::string_view from_name,
                         const Target& to,
                         std::string_view to_name) {
  if (from.on->id != to.on->id) {
    co_return fail(Errc::cross_bucket);
  }
  CO_TRYV(co_await may_move(call, from, from_name, to, to_name));
  co_return co_await call.service.files.rename(from.file(), from_name, to.file(), to_name);
}

/// RENAME does nothing to names that are always there.
Status check_moved_name(std::string_view name) {
  return name == "." || name == ".." ? Status::inval : check_name(name);
}

}  // namespace

Async<Status> op_lookup(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument what = read_directory_argument(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target directory;
  Result<ns::FileAttributes> found;
  Status status = co_await open_directory(call, what.handle, kMayExecute, directory);
  if (status == Status::ok) {
    status = check_name(what.name);
  }
  if (status == Status::ok) {
    found = co_await find(call, directory, what.name);
    status = to_status(found);
  }
  write_status(out, status);
  if (status == Status::ok) {
    write_handle(out, call, directory, found->id);
    write_post_op(out, shown(*found, *directory.on), directory.on.get());
  }
  write_post_op(out, directory.attributes, directory.on.get());
  co_return status;
}

Async<Status> op_remove(const Call& call, XdrReader& in, XdrWriter& out) {
  return remove_entry(call, in, out, ns::RemoveKind::file);
}

Async<Status> op_rmdir(const Call& call, XdrReader& in, XdrWriter& out) {
  return remove_entry(call, in, out, ns::RemoveKind::directory);
}

Async<Status> op_rename(const Call& call, XdrReader& in, XdrWriter& out) {
  const DirectoryArgument from_what = read_directory_argument(in);
  const DirectoryArgument to_what = read_directory_argument(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.first_name = from_what.name;
  call.note.second_name = to_what.name;
  Target from, to;
  Status status = co_await open_directory(call, from_what.handle, kChange, from);
  const Status opened = co_await open_directory(call, to_what.handle, kChange, to);
  for (const Status next :
       {opened, check_moved_name(from_what.name), check_moved_name(to_what.name)}) {
    status = status == Status::ok ? next : status;
  }
  std::optional<ns::DirectoryChange> from_change, to_change;
  if (status == Status::ok) {
    const Result<ns::Renamed> done = co_await rename(call, from, from_what.name, to, to_what.name);
    status = to_status(done);
    if (done) {
      from_change = done->from;
      to_change = done->to;
    }
  }
  const Wcc from_wcc = co_await settle(call, from, from_change);
  const Wcc to_wcc = co_await settle(call, to, to_change);
  write_status(out, status);
  write_wcc(out, from_wcc, from.on.get());
  write_wcc(out, to_wcc, to.on.get());
  co_return status;
}

Async<Status> op_link(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  const DirectoryArgument where = read_directory_argument(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  call.note.second_name = where.name;
  Target file, directory;
  Status status = co_await open(call, handle, file);
  const Status opened = co_await open_directory(call, where.handle, kChange, directory);
  status = status == Status::ok ? opened : status;
  if (status == Status::ok) {
    status = where.name == "." || where.name == ".." ? Status::exist : check_name(where.name);
  }
  if (status == Status::ok && file.on->id != directory.on->id) {
    status = Status::xdev;
  }
  std::optional<ns::DirectoryChange> change;
  if (status == Status::ok) {
    const Result<ns::Created> done =
        co_await call.service.files.link(file.file(), directory.file(), where.name);
    status = to_status(done);
    if (done) {
      change = done->parent;
    }
  }
  const Shown linked = co_await refreshed(call, file);
  const Wcc wcc = co_await settle(call, directory, change);
  write_status(out, status);
  write_post_op(out, linked, file.on.get());
  write_wcc(out, wcc, directory.on.get());
  co_return status;
}

}  // namespace outcrop::nfs::v3
