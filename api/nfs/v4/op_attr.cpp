// Operations on attributes: ACCESS, GETATTR, SETATTR, VERIFY, NVERIFY.
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

enum : std::uint32_t {
  kAccessRead4 = 0x01,
  kAccessLookup = 0x02,
  kAccessModify = 0x04,
  kAccessExtend = 0x08,
  kAccessDelete = 0x10,
  kAccessExecute = 0x20,
  kXattrRead = 0x40,  // RFC 8276 section 8.5
  kXattrWrite = 0x80,
  kXattrList = 0x100,
};

/// The bits that mean something for the object.
std::uint32_t meaningful(const FileRef& file, unsigned minor) {
  const std::uint32_t xattrs =
      minor >= 2 && !file.pseudo() ? kXattrRead | kXattrWrite | kXattrList : 0;
  const std::uint32_t always = kAccessRead4 | kAccessModify | kAccessExtend | xattrs;
  return file.known->type == ns::FileType::directory ? always | kAccessLookup | kAccessDelete
                                                     : always | kAccessExecute;
}

std::uint32_t granted(const Compound& c, const FileRef& file) {
  const bool writable = !file.pseudo() && file.on->writable();
  std::uint32_t out = 0;
  if (c.may(file, kMayRead)) {
    out |= kAccessRead4 | kXattrRead | kXattrList;
  }
  if (c.may(file, kMayExecute)) {
    out |= kAccessLookup | kAccessExecute;
  }
  if (writable && c.may(file, kMayWrite)) {
    out |= kAccessModify | kAccessExtend | kXattrWrite;
    // Entries of a directory go only with search permission, too.
    out |= c.may(file, kMayExecute) ? kAccessDelete : 0;
  }
  return out;
}

/// Permission for what SETATTR asks, and the stateid that a size needs.
Async<Status> check_set(Compound& c,
                        FileRef& file,
                        const SetRequest& wanted,
                        const Stateid& stateid) {
  if (wanted.set.size) {
    if (const Status status = co_await c.load_regular(file); status != Status::ok) {
      co_return status;
    }
    const Outcome<IoGrant> grant = c.check_io(stateid, file, IoKind::write);
    if (!grant) {
      co_return grant.error();
    }
  }
  const Result<void> allowed = may_set(*file.actor, *file.known, wanted.set, wanted.times_now);
  co_return allowed ? Status::ok : to_status(allowed.error());
}

Async<Status> compare(Compound& c, XdrReader& in, Status& outcome) {
  const WireAttributes wire = WireAttributes::read(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  AttributeSource source;
  if (const Status status = check_comparable(wire, c.minor); status != Status::ok) {
    co_return status;
  }
  if (const Status status = co_await c.fill(*c.current, wire.given, source); status != Status::ok) {
    co_return status;
  }
  outcome = compare_attributes(wire, source);
  co_return outcome == Status::not_same ? Status::ok : outcome;
}

}  // namespace

Async<Status> op_access(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t wanted = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (const Status status = co_await c.load(*c.current); status != Status::ok) {
    co_return status;
  }
  const std::uint32_t supported = wanted & meaningful(*c.current, c.minor);
  out.u32(supported);
  out.u32(supported & granted(c, *c.current));
  co_return Status::ok;
}

Async<Status> op_getattr(Compound& c, XdrReader& in, XdrWriter& out) {
  const AttributeSet wanted = AttributeSet::read(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (wanted.has_any(write_only_attributes() & supported_attributes(c.minor))) {
    co_return Status::inval;
  }
  AttributeSource source;
  const Status status = co_await c.fill(*c.current, wanted, source);
  if (status == Status::ok) {
    write_attributes(out, wanted, source);
  }
  co_return status;
}

Async<Status> op_setattr(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid stateid = read_stateid(in);
  const WireAttributes wire = WireAttributes::read(in);
  if (!in.ok()) {
    AttributeSet().write(out);
    co_return Status::badxdr;
  }
  SetRequest request;
  Status status = parse_settable(wire, c.minor, SetPurpose::change, c.now(), request);
  if (status == Status::ok) {
    status = co_await c.load(*c.current);
  }
  if (status == Status::ok) {
    status = co_await check_set(c, *c.current, request, stateid);
  }
  if (status == Status::ok && !request.set.empty()) {
    const ns::SetAttributes set = settled(*c.current->actor, *c.current->known, request.set);
    const Result<ns::FileAttributes> done =
        co_await c.files().set_attributes(c.current->file(), set);
    status = done ? Status::ok : to_status(done.error());
    if (done) {
      c.current->known = shown(*done, *c.current->on);
    }
  }
  (status == Status::ok ? request.given : AttributeSet()).write(out);
  co_return status;
}

Async<Status> op_verify(Compound& c, XdrReader& in, XdrWriter&) {
  Status outcome = Status::ok;
  const Status status = co_await compare(c, in, outcome);
  co_return status == Status::ok ? outcome : status;
}

Async<Status> op_nverify(Compound& c, XdrReader& in, XdrWriter&) {
  Status outcome = Status::ok;
  const Status status = co_await compare(c, in, outcome);
  if (status != Status::ok) {
    co_return status;
  }
  co_return outcome == Status::ok ? Status::same : Status::ok;
}

}  // namespace outcrop::nfs::v4
