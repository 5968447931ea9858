#include "api/nfs/v4/nfs4.h"

#include "api/nfs/v4/audit.h"
#include "api/nfs/v4/compound.h"
#include "api/nfs/v4/names.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::uint32_t kProcedureCompound = 1;
constexpr std::uint32_t kMaxOperations = 64;  ///< of 4.0; sessions have their own limit

/// Bytes of the whole call: ca_maxrequestsize counts them. parse_call() kept what the header said.
std::size_t request_bytes(const RpcCall& call) {
  constexpr std::size_t kFixed = 6 * 4 + 2 * 8;  // header, credential and verifier without bodies
  const Credentials& who = call.credentials;
  const std::size_t machine = who.machine.size() + xdr_padding(who.machine.size());
  const std::size_t body =
      who.flavor == AuthFlavor::sys ? 5 * 4 + machine + 4 * who.groups.size() : 0;
  return kFixed + body + call.arguments.left();
}

/// One result while it is written.
struct Result4 {
  XdrWriter& out;
  XdrWriter::Mark status_at, body;
  std::size_t start = 0;
  const OpRow* row = nullptr;
  Status status = Status::ok;

  void end() {
    const bool keep = status == Status::ok || (row != nullptr && row->traits.error_body);
    if (!keep) {
      out.rewind(body);
      if (row != nullptr && row->number == Op::setattr) {
        out.u32(0);  // attrsset is there in any case
      }
    }
    out.patch_u32(status_at, static_cast<std::uint32_t>(status));
  }
};

Status check_place(const Compound& c, const OpRow& row) {
  if (c.minor == 0) {
    return Status::ok;
  }
  if (c.position > 0) {
    if (row.place == Place::first) {
      return Status::sequence_pos;
    }
    return row.place == Place::alone ? Status::not_only_op : c.second;
  }
  if (row.place == Place::in_session) {
    return Status::op_not_in_session;
  }
  return row.place != Place::first && c.op_count > 1 ? Status::not_only_op : Status::ok;
}

Status check_handles(const Compound& c, const OpRow& row) {
  const Traits& traits = row.traits;
  if ((traits.current && !c.current) || (traits.saved && !c.saved)) {
    return Status::nofilehandle;
  }
  if (traits.current && !traits.any_security && c.current->insecure) {
    return Status::wrongsec;
  }
  if (traits.modifies && (c.current->pseudo() || !c.current->on->writable())) {
    return Status::rofs;
  }
  return Status::ok;
}

Status check_operation(const Compound& c, const OpRow* row, const XdrWriter& out) {
  if (row == nullptr || c.minor < row->first_minor) {
    return Status::op_illegal;
  }
  if (c.minor > row->last_minor) {
    return Status::notsupp;
  }
  if (c.minor == 0 && c.op_count > kMaxOperations) {
    return Status::resource;
  }
  if (const Status status = check_place(c, *row); status != Status::ok) {
    return status;
  }
  if (const Status status = check_handles(c, *row); status != Status::ok) {
    return status;
  }
  return row->reply_bound > 0 && out.size() + row->reply_bound > c.reply_limit ? c.too_big
                                                                               : Status::ok;
}

/// Whether the operation behind one that put an insecure filehandle is for finding out about
/// security, or does not use it (RFC 8881 section 2.6.3.1.1). `in` is a copy.
bool next_tolerates(const Compound& c, XdrReader in) {
  if (c.position + 1 >= c.op_count) {
    return true;
  }
  const OpRow* next = find_op(in.u32());
  return next == nullptr || next->traits.any_security;
}

bool puts_handle(const OpRow& row) {
  return row.number == Op::putfh || row.number == Op::restorefh;
}

/// The reply that an owner of 4.0 keeps: length of the result, the result, and the filehandle that
/// OPEN left current.
std::string owner_reply(const Compound& c, const Result4& result) {
  XdrWriter kept;
  const std::string all = result.out.flatten();  // with the data of READs in front
  kept.u32(static_cast<std::uint32_t>(result.row->number));
  kept.string(std::string_view(all).substr(result.start + sizeof(std::uint32_t)));
  const bool opened = result.row->number == Op::open && result.status == Status::ok;
  kept.opaque(opened ? ConstBytes(c.core.service.handles.seal(c.current->handle)) : ConstBytes());
  return kept.flatten();
}

Async<> replay_owner(Compound& c, Result4& result) {
  XdrReader kept(as_bytes(*c.owner_replay));
  if (kept.u32() != static_cast<std::uint32_t>(result.row->number)) {
    // No retry: another operation with a number that is taken (RFC 7530 section 9.1.7).
    c.owner_replay.reset();
    result.status = Status::bad_seqid;
    result.out.rewind(result.body);
    result.end();
    co_return;
  }
  const std::string_view body = kept.string(kMaxRecordBytes);
  const ConstBytes handle = kept.opaque(kHandleBytes);
  result.out.rewind(result.status_at);
  result.out.raw_bytes(body);
  result.status = static_cast<Status>(XdrReader(as_bytes(body)).u32());
  if (!handle.empty()) {
    FileRef file;
    if (co_await c.open_handle(handle, file) == Status::ok) {
      c.put(std::move(file));
    }
  }
  c.owner_replay.reset();
}

void finish_operation(Compound& c, XdrReader& in, Result4& result) {
  if (result.status == Status::ok && result.row != nullptr && puts_handle(*result.row) &&
      c.current->insecure && !next_tolerates(c, in)) {
    result.status = Status::wrongsec;
  }
  result.end();
  if (result.out.size() > c.reply_limit) {
    result.status = c.too_big;
    result.out.rewind(result.body);
    result.end();
  }
  if (c.owner) {
    OwnerTicket owner = std::exchange(c.owner, {});
    owner.finish(result.status, owner_reply(c, result));
  }
}

Async<Status> serve_operation(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::size_t in_before = in.left();
  const std::int64_t started = c.core.observer ? c.core.service.clock.steady_ns() : 0;
  const std::uint32_t number = in.u32();
  const OpRow* row = in.ok() ? find_op(number) : nullptr;
  Result4 result{.out = out, .status_at = {}, .body = {}, .start = out.size(), .row = row};
  result.status = in.ok() ? check_operation(c, row, out) : Status::badxdr;
  const bool illegal = row == nullptr || result.status == Status::op_illegal;
  out.u32(illegal ? kOpIllegal : number);
  result.status_at = out.mark();
  out.u32(0);
  result.body = out.mark();
  if (illegal) {
    result.row = nullptr;
  }
  const bool audited = c.core.service.audit != nullptr && !illegal;
  if (audited) {
    begin_audit(c, *row);
  }
  if (result.status == Status::ok) {
    result.status = co_await row->handler(c, in, out);
  }
  const bool repeated = c.drop || c.replay || c.owner_replay;
  if (c.owner_replay) {
    co_await replay_owner(c, result);
  } else if (!c.drop && !c.replay) {
    finish_operation(c, in, result);
  }
  c.changed = c.changed || (result.status == Status::ok && !illegal && row->traits.modifies);
  if (audited && !repeated) {
    co_await end_audit(c, *row, result.status);
  }
  if (c.core.observer) {
    c.core.observer(illegal ? kOpIllegal : number, static_cast<std::uint32_t>(result.status),
                    in_before - in.left(), out.size() - std::min(out.size(), result.start),
                    c.core.service.clock.steady_ns() - started);
  }
  co_return result.status;
}

/// What is wrong with the compound as a whole: no operation is looked at.
Status check_compound(std::uint32_t minor, std::string_view tag) {
  if (minor > kHighestMinor) {
    return Status::minor_vers_mismatch;
  }
  return valid_utf8(tag) ? Status::ok : Status::inval;
}

void keep_reply(Compound& c, const XdrWriter& reply, std::size_t header) {
  if (!c.slot) {
    return;
  }
  const std::size_t bytes = reply.size() - header;
  CachedReply kept;
  if (c.slot.keeps(bytes)) {
    kept = std::make_shared<const std::string>(reply.flatten().substr(header));
  }
  c.slot.finish(std::move(kept));
}

struct Header {
  std::string_view tag;
  std::uint32_t minor = 0, count = 0;
};

Header read_header(XdrReader& in) {
  Header out;
  out.tag = in.string(kMaxTagBytes);
  out.minor = in.u32();
  out.count = in.u32();
  return out;
}

/// Runs the compound whose header was read and writes its result.
Async<> run_compound(Compound& c, const Header& header, XdrReader& in, XdrWriter& reply) {
  write_accepted(reply, c.call.xid, AcceptStatus::success);
  const XdrWriter::Mark status_at = reply.mark();
  const std::size_t header_bytes = reply.size();
  Status status = check_compound(header.minor, header.tag);
  reply.u32(0);
  reply.string(header.tag);
  const XdrWriter::Mark count_at = reply.mark();
  reply.u32(0);
  std::uint32_t served = 0;
  for (; status == Status::ok && served < header.count && !c.drop && !c.replay; ++served) {
    c.position = served;
    status = co_await serve_operation(c, in, reply);
  }
  if (c.drop) {
    reply.rewind({});
    co_return;
  }
  if (c.replay) {
    reply.rewind(status_at);
    reply.raw_bytes(*c.replay);
    co_return;
  }
  reply.patch_u32(status_at, static_cast<std::uint32_t>(status));
  reply.patch_u32(count_at, served);
  keep_reply(c, reply, header_bytes);
}

/// Sessions have their slots; a compound of 4.0 is known by its call.
Async<> run_once(Compound& c, const Header& header, XdrReader& in, XdrWriter& reply) {
  ReplyCache::Found found = c.core.replies.begin(ReplyKey::of(c.peer, c.call));
  switch (found.state) {
    case ReplyCache::State::in_progress:
      co_return;
    case ReplyCache::State::done:
      reply.raw_bytes(*found.reply);
      co_return;
    case ReplyCache::State::fresh:
      break;
  }
  co_await run_compound(c, header, in, reply);
  if (c.changed && !c.drop) {
    found.ticket.keep(reply.flatten());
  }
}

Async<> serve_compound(Core& core, const Peer& peer, RpcCall& call, XdrWriter& reply) {
  XdrReader in = call.arguments;
  const Header header = read_header(in);
  if (!in.ok()) {
    write_accepted(reply, call.xid, AcceptStatus::garbage_arguments);
    co_return;
  }
  Compound c{.core = core, .peer = peer, .call = call};
  c.minor = std::min(header.minor, kHighestMinor);
  c.request_bytes = request_bytes(call);
  c.op_count = header.count;
  if (c.minor == 0) {
    co_await run_once(c, header, in, reply);
  } else {
    co_await run_compound(c, header, in, reply);
  }
}

}  // namespace

Nfs4::Nfs4(const Service& service, StateManager& state, std::string server_id, Observer observer)
    : x_core(new Core{.service = service,
                      .state = state,
                      .observer = std::move(observer),
                      .server_id = std::move(server_id),
                      .scope = ExportScope(service.files),
                      .replies = ReplyCache(service.clock),
                      .pseudo = {}}) {}

Nfs4::~Nfs4() = default;

Async<> Nfs4::call(const Peer& peer, RpcCall& call, XdrWriter& reply) {
  if (call.procedure != kProcedureCompound) {
    const bool null = call.procedure == 0;
    write_accepted(reply, call.xid,
                   null ? AcceptStatus::success : AcceptStatus::procedure_unavailable);
    co_return;
  }
  co_await serve_compound(*x_core, peer, call, reply);
}

std::string operation_name(std::uint32_t operation) {
  const OpRow* row = find_op(operation);
  return "nfs4." + std::string(row == nullptr ? "ILLEGAL" : row->name);
}

}  // namespace outcrop::nfs::v4
