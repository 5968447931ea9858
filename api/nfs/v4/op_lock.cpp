// LOCK, LOCKT, LOCKU, RELEASE_LOCKOWNER.
#include "api/nfs/v4/ops.h"

namespace outcrop::nfs::v4 {
namespace {

struct LockArguments {
  std::uint32_t type = 0;
  bool reclaim = false, new_owner = false;
  std::uint64_t offset = 0, length = 0;
  std::uint32_t open_seqid = 0, lock_seqid = 0;
  Stateid stateid;
  ClientId client = 0;
  std::string_view owner;
};

LockArguments read_lock(XdrReader& in) {
  LockArguments out;
  out.type = in.u32();
  out.reclaim = in.boolean();
  out.offset = in.u64();
  out.length = in.u64();
  out.new_owner = in.boolean();
  if (out.new_owner) {
    out.open_seqid = in.u32();
    out.stateid = read_stateid(in);
    out.lock_seqid = in.u32();
    out.client = in.u64();
    out.owner = in.string(kMaxOwnerBytes);
  } else {
    out.stateid = read_stateid(in);
    out.lock_seqid = in.u32();
  }
  return out;
}

bool valid_type(std::uint32_t type) { return type >= 1 && type <= 4; }

void write_conflict(XdrWriter& out, const LockConflict& conflict) {
  out.u64(conflict.offset);
  out.u64(conflict.length);
  out.u32(static_cast<std::uint32_t>(conflict.type));
  out.u64(conflict.client);
  out.string(conflict.owner);
}

/// Length 0 and ranges past the last byte; all ones is "to the end" (RFC 8881 section 18.10.3).
Status check_range(std::uint64_t offset, std::uint64_t length) {
  const bool past = length != kLockToEnd && length > UINT64_MAX - offset;
  return length == 0 || past ? Status::inval : Status::ok;
}

std::optional<Status> take_turn(Compound& c,
                                const LockArguments& args,
                                const StateContext& context) {
  StateManager& state = c.core.state;
  return c.enter(args.new_owner ? state.begin_new_lock(context.client, args.stateid,
                                                       args.open_seqid, args.owner, args.lock_seqid)
                                : state.begin_stateid(args.stateid, args.lock_seqid));
}

}  // namespace

Async<Status> op_lock(Compound& c, XdrReader& in, XdrWriter& out) {
  const LockArguments args = read_lock(in);
  if (!in.ok() || !valid_type(args.type)) {
    co_return Status::badxdr;
  }
  const Outcome<Stateid> id = c.resolve(args.stateid);
  if (!id) {
    co_return id.error();
  }
  Outcome<StateContext> context = args.new_owner ? c.state(args.client) : c.state();
  if (!context) {
    co_return context.error();
  }
  if (c.minor == 0) {
    if (const auto done = take_turn(c, args, *context)) {
      co_return *done;
    }
  }
  Status status = co_await c.load_regular(*c.current);
  status = first_error(status, check_range(args.offset, args.length));
  if (status != Status::ok) {
    co_return status;
  }
  const LockResult result =
      co_await c.core.state.lock(*context, {.file = c.current->file(),
                                            .type = static_cast<LockType>(args.type),
                                            .reclaim = args.reclaim,
                                            .offset = args.offset,
                                            .length = args.length,
                                            .stateid = *id,
                                            .new_owner = args.new_owner,
                                            .owner = args.owner});
  if (result.status == Status::ok) {
    write_stateid(out, result.stateid);
    c.current_stateid = result.stateid;
  } else if (result.conflict) {
    write_conflict(out, *result.conflict);
  }
  co_return result.status;
}

Async<Status> op_lockt(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t type = in.u32();
  LockTestRequest request;
  request.offset = in.u64();
  request.length = in.u64();
  const ClientId client = in.u64();
  request.owner = in.string(kMaxOwnerBytes);
  if (!in.ok() || !valid_type(type)) {
    co_return Status::badxdr;
  }
  const Outcome<StateContext> context = c.state(client);
  if (!context) {
    co_return context.error();
  }
  Status status = co_await c.load_regular(*c.current);
  status = first_error(status, check_range(request.offset, request.length));
  if (status != Status::ok) {
    co_return status;
  }
  request.type = static_cast<LockType>(type);
  request.file = c.current->file();
  const LockTestResult result = c.core.state.test_lock(*context, request);
  if (result.conflict) {
    write_conflict(out, *result.conflict);
  }
  co_return result.status;
}

Async<Status> op_locku(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t type = in.u32();
  const std::uint32_t seqid = in.u32();
  const Stateid wire = read_stateid(in);
  const std::uint64_t offset = in.u64();
  const std::uint64_t length = in.u64();
  if (!in.ok() || !valid_type(type)) {
    co_return Status::badxdr;
  }
  const Outcome<Stateid> id = c.resolve(wire);
  if (!id) {
    co_return id.error();
  }
  if (c.minor == 0) {
    if (const auto done = c.enter(c.core.state.begin_stateid(*id, seqid))) {
      co_return *done;
    }
  }
  if (const Status status = check_range(offset, length); status != Status::ok) {
    co_return status;
  }
  const Outcome<Stateid> result =
      c.core.state.unlock(c.state(), *id, c.current->file(), offset, length);
  if (!result) {
    co_return result.error();
  }
  write_stateid(out, *result);
  c.current_stateid = *result;
  co_return Status::ok;
}

Async<Status> op_release_lockowner(Compound& c, XdrReader& in, XdrWriter&) {
  const ClientId client = in.u64();
  const std::string_view owner = in.string(kMaxOwnerBytes);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<ClientRef> found = c.core.state.find_client(client);
  co_return found ? c.core.state.release_lock_owner(*found, owner) : found.error();
}

}  // namespace outcrop::nfs::v4
