// Extended attributes (RFC 8276): GETXATTR, SETXATTR, LISTXATTRS, REMOVEXATTR. Names go over the
// wire without the "user." that they have in the store.
#include "api/nfs/v4/names.h"
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::string_view kPrefix = "user.";

/// inval: empty, not UTF-8 or with a NUL; nametoolong.
Status store_name(std::string_view wire, std::string& out) {
  if (wire.empty() || !valid_utf8(wire) || wire.find('\0') != wire.npos) {
    return Status::inval;
  }
  out = kPrefix;
  out += wire;
  return out.size() > ns::kMaxXattrNameBytes ? Status::nametoolong : Status::ok;
}

/// Files and directories have them; access as for data (RFC 8276 section 8.4).
Async<Status> check_object(Compound& c, unsigned bits) {
  FileRef& file = *c.current;
  if (const Status status = co_await c.load(file); status != Status::ok) {
    co_return status;
  }
  const bool regular = file.known->type == ns::FileType::regular;
  if (file.pseudo() || (!regular && file.known->type != ns::FileType::directory)) {
    co_return Status::wrong_type;
  }
  const bool allowed = regular ? may_transfer(*file.actor, *file.known, bits) : c.may(file, bits);
  co_return allowed ? Status::ok : Status::access;
}

Status set_error(const Error& error) {
  return error.code() == Errc::entity_too_large ? Status::xattr2big : to_status(error);
}

/// change_info of the object itself.
void write_changed(Compound& c, const ns::FileAttributes& after, XdrWriter& out) {
  const std::uint64_t before = c.current->known->change;
  c.current->known = shown(after, *c.current->on);
  write_change(out, {.before = before, .after = after.change});
}

struct ListArguments {
  std::uint64_t cookie = 0;
  std::uint32_t max = 0;
};

/// The names behind the cookie, which is how many were given already.
Status write_list(const std::vector<std::string>& names,
                  const ListArguments& args,
                  std::size_t limit,
                  XdrWriter& out) {
  constexpr std::size_t kFixed = 8 + 4 + 4;
  if (args.cookie > names.size()) {
    return Status::bad_cookie;
  }
  std::size_t used = kFixed;
  std::size_t end = args.cookie;
  for (; end < names.size(); ++end) {
    const std::size_t n = names[end].size() - kPrefix.size();
    const std::size_t cost = 4 + n + xdr_padding(n);
    if (used + cost > std::min<std::size_t>(args.max, limit)) {
      break;
    }
    used += cost;
  }
  if (end == args.cookie && (end < names.size() || args.max < kFixed)) {
    return Status::toosmall;
  }
  out.u64(end);
  out.u32(static_cast<std::uint32_t>(end - args.cookie));
  for (std::size_t i = args.cookie; i < end; ++i) {
    out.string(std::string_view(names[i]).substr(kPrefix.size()));
  }
  out.boolean(end == names.size());
  return Status::ok;
}

}  // namespace

Async<Status> op_getxattr(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view wire = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  std::string name;
  Status status = store_name(wire, name);
  if (status == Status::ok) {
    status = co_await check_object(c, kMayRead);
  }
  if (status != Status::ok) {
    co_return status;
  }
  const Result<std::string> value = co_await c.files().get_xattr(c.current->file(), name);
  if (!value) {
    co_return to_status(value.error());
  }
  out.string(*value);
  co_return Status::ok;
}

Async<Status> op_setxattr(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t option = in.u32();
  const std::string_view wire = in.string(kMaxRecordBytes);
  const std::string_view value = in.string(kMaxRecordBytes);
  if (!in.ok() || option > 2) {
    co_return Status::badxdr;
  }
  std::string name;
  Status status = store_name(wire, name);
  if (status == Status::ok) {
    status = co_await check_object(c, kMayWrite);
  }
  if (status == Status::ok && value.size() > ns::kMaxXattrValueBytes) {
    status = Status::xattr2big;
  }
  if (status != Status::ok) {
    co_return status;
  }
  using Mode = ns::FileSystem::XattrMode;
  constexpr Mode kModes[] = {Mode::either, Mode::create, Mode::replace};
  const Result<ns::FileAttributes> done =
      co_await c.files().set_xattr(c.current->file(), name, value, kModes[option]);
  if (!done) {
    co_return set_error(done.error());
  }
  write_changed(c, *done, out);
  co_return Status::ok;
}

Async<Status> op_listxattrs(Compound& c, XdrReader& in, XdrWriter& out) {
  ListArguments args;
  args.cookie = in.u64();
  args.max = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (const Status status = co_await check_object(c, kMayRead); status != Status::ok) {
    co_return status;
  }
  Result<std::vector<std::string>> names = co_await c.files().list_xattrs(c.current->file());
  if (!names) {
    co_return to_status(names.error());
  }
  std::erase_if(*names, [](const std::string& n) { return !n.starts_with(kPrefix); });
  co_return write_list(*names, args, c.reply_limit - std::min(c.reply_limit, out.size()), out);
}

Async<Status> op_removexattr(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::string_view wire = in.string(kMaxRecordBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  std::string name;
  Status status = store_name(wire, name);
  if (status == Status::ok) {
    status = co_await check_object(c, kMayWrite);
  }
  if (status != Status::ok) {
    co_return status;
  }
  const Result<ns::FileAttributes> done = co_await c.files().remove_xattr(c.current->file(), name);
  if (!done) {
    co_return to_status(done.error());
  }
  write_changed(c, *done, out);
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
