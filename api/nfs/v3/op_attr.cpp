// GETATTR, SETATTR, ACCESS, READLINK (RFC 1813 sections 3.3.1, 3.3.2, 3.3.4, 3.3.5).
#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {
namespace {

enum AccessBit : std::uint32_t {
  kRead = 0x01,
  kLookup = 0x02,
  kModify = 0x04,
  kExtend = 0x08,
  kDelete = 0x10,
  kExecute = 0x20,
};

std::uint32_t granted(const Target& target) {
  const unsigned has = permitted(target.actor, *target.attributes);
  const bool directory = target.attributes->type == ns::FileType::directory;
  std::uint32_t bits = (has & kMayRead) != 0 ? kRead : 0U;
  if ((has & kMayExecute) != 0) {
    bits |= directory ? kLookup : kExecute;
  }
  if ((has & kMayWrite) != 0 && target.on->writable()) {
    bits |= kModify | kExtend | (directory ? kDelete : 0U);
  }
  return bits;
}

Task<ns::FileAttributes> set(const Call& call,
                             const Target& target,
                             AskedAttributes asked,
                             std::optional<std::int64_t> guard) {
  CO_TRYV(may_set(target.actor, *target.attributes, asked.set, asked.to_now));
  ns::SetAttributes wanted = settled(target.actor, *target.attributes, asked.set);
  if (wanted.size && !wanted.mode) {
    wanted.mode = mode_after_write(target.actor, *target.attributes);
  }
  co_return co_await call.service.files.set_attributes(target.file(), wanted, guard);
}

}  // namespace

Async<Status> op_getattr(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  const Status status = co_await open(call, handle, target);
  write_status(out, status);
  if (status == Status::ok) {
    write_attributes(out, *target.attributes, *target.on);
  }
  co_return status;
}

Async<Status> op_setattr(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  const AskedAttributes asked = read_asked(in, call.service.clock.wall_ns());
  std::optional<std::int64_t> guard;
  if (in.boolean()) {
    guard = read_time(in);
  }
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Wcc wcc;
  Status status = co_await open(call, handle, target);
  if (status == Status::ok) {
    const Result<ns::FileAttributes> done = co_await set(call, target, asked, guard);
    status = to_status(done);
    if (done) {
      wcc.after = shown(*done, *target.on);
    }
  }
  if (status != Status::ok) {
    wcc.after = co_await refreshed(call, target);
  }
  write_status(out, status);
  write_wcc(out, wcc, target.on.get());
  co_return status;
}

Async<Status> op_access(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  const std::uint32_t asked = in.u32();
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  const Status status = co_await open(call, handle, target);
  write_status(out, status);
  write_post_op(out, target.attributes, target.on.get());
  if (status == Status::ok) {
    out.u32(asked & granted(target));
  }
  co_return status;
}

Async<Status> op_readlink(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Result<std::string> text;
  Status status = co_await open(call, handle, target);
  if (status == Status::ok) {
    text = co_await call.service.files.read_symlink(target.file());
    status = to_status(text);
  }
  write_status(out, status);
  write_post_op(out, target.attributes, target.on.get());
  if (status == Status::ok) {
    out.string(*text);
  }
  co_return status;
}

}  // namespace outcrop::nfs::v3
