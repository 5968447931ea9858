// Operations on opens and stateids: CLOSE, OPEN_CONFIRM, OPEN_DOWNGRADE, TEST_STATEID,
// FREE_STATEID, DELEGRETURN, DELEGPURGE.
#include "api/nfs/v4/ops.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxTestedStateids = 1024;

/// Writes the new stateid, which becomes the current one.
Status finish(Compound& c, const Outcome<Stateid>& result, XdrWriter& out) {
  if (!result) {
    return result.error();
  }
  write_stateid(out, *result);
  c.current_stateid = *result;
  return Status::ok;
}

}  // namespace

Async<Status> op_close(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint32_t seqid = in.u32();
  const Stateid wire = read_stateid(in);
  if (!in.ok()) {
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
  co_return finish(c, c.core.state.close(c.state(), *id, c.current->file()), out);
}

Async<Status> op_open_confirm(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid id = read_stateid(in);
  const std::uint32_t seqid = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (const auto done = c.enter(c.core.state.begin_stateid(id, seqid))) {
    co_return *done;
  }
  co_return finish(c, c.core.state.confirm_open(c.state(), id, c.current->file()), out);
}

Async<Status> op_open_downgrade(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid wire = read_stateid(in);
  const std::uint32_t seqid = in.u32();
  const std::uint32_t access = in.u32();
  const std::uint32_t deny = in.u32();
  if (!in.ok()) {
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
  const Outcome<ShareAccess> share = parse_share_access(access, c.minor);
  if (!share) {
    co_return share.error();
  }
  co_return finish(
      c, c.core.state.downgrade(c.state(), *id, c.current->file(), share->access, deny), out);
}

Async<Status> op_test_stateid(Compound& c, XdrReader& in, XdrWriter& out) {
  std::vector<Stateid> ids(in.count(kMaxTestedStateids, 16));
  for (Stateid& id : ids) {
    id = read_stateid(in);
  }
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const std::vector<Status> results = c.core.state.test_stateids(c.state().client, ids);
  out.u32(static_cast<std::uint32_t>(results.size()));
  for (const Status s : results) {
    out.u32(static_cast<std::uint32_t>(s));
  }
  co_return Status::ok;
}

Async<Status> op_free_stateid(Compound& c, XdrReader& in, XdrWriter&) {
  const Stateid wire = read_stateid(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<Stateid> id = c.resolve(wire);
  if (!id) {
    co_return id.error();
  }
  co_return c.core.state.free_stateid(c.state().client, *id);
}

// No delegation is ever granted, so none can be returned or left from a former run.

Async<Status> op_delegreturn(Compound&, XdrReader& in, XdrWriter&) {
  read_stateid(in);
  co_return in.ok() ? Status::bad_stateid : Status::badxdr;
}

Async<Status> op_delegpurge(Compound& c, XdrReader& in, XdrWriter&) {
  const ClientId client = in.u64();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<StateContext> known = c.state(client);
  co_return known ? Status::notsupp : known.error();
}

}  // namespace outcrop::nfs::v4
