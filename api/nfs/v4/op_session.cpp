// Operations on sessions: SEQUENCE, CREATE_SESSION, DESTROY_SESSION, BIND_CONN_TO_SESSION,
// BACKCHANNEL_CTL.
#include "api/nfs/v4/ops.h"
#include "storage/digest/xxh.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxSecurityParameters = 16;
constexpr std::size_t kMaxGssHandle = 1024;
/// Bytes of a request that tell it from another one on the same slot: all of what is small.
constexpr std::size_t kDigestedBytes = 4096;

SessionId read_session_id(XdrReader& in) {
  SessionId out{};
  std::ranges::copy(in.fixed_opaque(out.size()), out.begin());
  return out;
}

ChannelAttributes read_channel(XdrReader& in) {
  ChannelAttributes out;
  out.header_pad = in.u32();
  out.max_request = in.u32();
  out.max_response = in.u32();
  out.max_response_cached = in.u32();
  out.max_operations = in.u32();
  out.max_requests = in.u32();
  if (in.count(1) == 1) {
    in.u32();  // ca_rdma_ird
  }
  return out;
}

void write_channel(XdrWriter& out, const ChannelAttributes& channel) {
  out.u32(channel.header_pad);
  out.u32(channel.max_request);
  out.u32(channel.max_response);
  out.u32(channel.max_response_cached);
  out.u32(channel.max_operations);
  out.u32(channel.max_requests);
  out.u32(0);
}

/// callback_sec_parms4<>: how callbacks would authenticate.
void skip_callback_security(XdrReader& in) {
  for (std::size_t n = in.count(kMaxSecurityParameters); n > 0 && in.ok(); --n) {
    switch (in.u32()) {
      case 0:
        break;
      case 1:
        in.u32();
        in.opaque(kMaxMachineName);
        in.u64();
        for (std::size_t k = in.count(kMaxGroups); k > 0; --k) {
          in.u32();
        }
        break;
      case 6:
        in.u32();
        in.opaque(kMaxGssHandle);
        in.opaque(kMaxGssHandle);
        break;
      default:
        in.fail();
    }
  }
}

/// Of the credentials and what follows SEQUENCE; long requests by their length and first bytes.
std::uint64_t request_digest(const Compound& c, XdrReader behind) {
  const std::size_t left = behind.left();
  const ConstBytes head = behind.fixed_opaque(std::min(left, kDigestedBytes));
  const Credentials& who = c.call.credentials;
  const std::uint64_t fixed[] = {left, static_cast<std::uint64_t>(who.flavor), who.uid, who.gid};
  return digest::xxh3_64({std::as_bytes(std::span(fixed)), as_bytes(std::string_view(who.machine)),
                          std::as_bytes(std::span(who.groups)), head});
}

void take_session(Compound& c, SequenceResult& result) {
  c.slot = std::move(result.ticket);
  const ChannelAttributes& fore = c.slot.fore();
  c.reply_limit = fore.max_response;
  c.too_big = Status::rep_too_big;
  if (c.slot.cache_this() && fore.max_response_cached < fore.max_response) {
    c.reply_limit = fore.max_response_cached;
    c.too_big = Status::rep_too_big_to_cache;
  }
}

}  // namespace

Async<Status> op_sequence(Compound& c, XdrReader& in, XdrWriter& out) {
  SequenceArgs args;
  args.session = read_session_id(in);
  args.sequence = in.u32();
  args.slot = in.u32();
  args.highest_slot = in.u32();
  args.cache_this = in.boolean();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  args.digest = request_digest(c, in);
  args.request_bytes = static_cast<std::uint32_t>(c.request_bytes);
  args.operations = c.op_count;
  args.connection = c.peer.connection;
  SequenceResult result = c.core.state.sequence(args);
  if (result.replay) {
    c.replay = std::move(result.replay);
    co_return Status::ok;
  }
  if (result.status == Status::retry_uncached_rep) {
    c.second = result.status;
  } else if (result.status != Status::ok) {
    co_return result.status;
  } else {
    take_session(c, result);
  }
  out.fixed_opaque(args.session);
  out.u32(args.sequence);
  out.u32(args.slot);
  out.u32(result.highest_slot);
  out.u32(result.target_highest_slot);
  out.u32(result.status_flags);
  co_return Status::ok;
}

Async<Status> op_create_session(Compound& c, XdrReader& in, XdrWriter& out) {
  CreateSessionArgs args;
  args.client = in.u64();
  args.sequence = in.u32();
  args.flags = in.u32();
  args.fore = read_channel(in);
  args.back = read_channel(in);
  args.callback_program = in.u32();
  skip_callback_security(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<CreateSessionResult> made =
      c.core.state.create_session(args, c.principal(), c.peer.connection);
  if (!made) {
    co_return made.error();
  }
  out.fixed_opaque(made->session);
  out.u32(made->sequence);
  out.u32(made->flags);
  write_channel(out, made->fore);
  write_channel(out, made->back);
  co_return Status::ok;
}

Async<Status> op_destroy_session(Compound& c, XdrReader& in, XdrWriter&) {
  const SessionId session = read_session_id(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const bool own = c.slot && c.slot.session() == session;
  if (own && c.position + 1 != c.op_count) {
    co_return Status::not_only_op;
  }
  co_return c.core.state.destroy_session(session, c.principal(), c.peer.connection);
}

Async<Status> op_bind_conn_to_session(Compound& c, XdrReader& in, XdrWriter& out) {
  const SessionId session = read_session_id(in);
  const std::uint32_t direction = in.u32();
  in.boolean();  // RDMA mode
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<BoundDirection> bound =
      c.core.state.bind_connection(session, direction, c.peer.connection);
  if (!bound) {
    co_return bound.error();
  }
  out.fixed_opaque(session);
  out.u32(static_cast<std::uint32_t>(*bound));
  out.boolean(false);
  co_return Status::ok;
}

Async<Status> op_backchannel_ctl(Compound& c, XdrReader& in, XdrWriter&) {
  const std::uint32_t program = in.u32();
  skip_callback_security(in);
  co_return in.ok() ? c.core.state.backchannel_control(c.slot, program) : Status::badxdr;
}

}  // namespace outcrop::nfs::v4
