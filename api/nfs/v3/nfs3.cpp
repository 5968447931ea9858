#include "api/nfs/v3/nfs3.h"

#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {

namespace {

AuditKind audit_kind(const Op& op) {
  constexpr std::uint32_t kWrite = 7;
  if (op.procedure == kWrite) {
    return AuditKind::data;
  }
  return op.writes ? AuditKind::change : AuditKind::read;
}

}  // namespace

Async<Status> op_null(const Call&, XdrReader&, XdrWriter&) { co_return Status::ok; }

std::string_view procedure_name(std::uint32_t procedure) {
  const Op* const op = find_op(procedure);
  return op != nullptr ? op->name : std::string_view();
}

Async<> Nfs3::call(const Peer& peer, RpcCall& call, XdrWriter& reply) {
  const Op* const op = find_op(call.procedure);
  if (op == nullptr) {
    write_accepted(reply, call.xid, AcceptStatus::procedure_unavailable);
    co_return;
  }
  if (!op->replays) {
    co_await run(peer, call, *op, reply);
    co_return;
  }
  ReplyCache::Found found = x_replies.begin(ReplyKey::of(peer, call));
  switch (found.state) {
    case ReplyCache::State::in_progress:
      co_return;  // the answer is on its way
    case ReplyCache::State::done:
      reply.raw_bytes(*found.reply);
      co_return;
    case ReplyCache::State::fresh:
      co_await run(peer, call, *op, reply);
      found.ticket.keep(reply.flatten());
  }
}

Async<> Nfs3::run(const Peer& peer, RpcCall& call, const Op& op, XdrWriter& reply) {
  const std::int64_t started = x_service.clock.steady_ns();
  const std::size_t bytes_in = call.arguments.left();
  AuditNote note;
  const Call context{x_service, x_scope, peer, call.credentials, op, note, call.most_data};
  const XdrWriter::Mark empty = reply.mark();
  write_accepted(reply, call.xid, AcceptStatus::success);
  const Status status = co_await op.handler(context, call.arguments, reply);
  if (status == Status::garbage) {
    reply.rewind(empty);
    write_accepted(reply, call.xid, AcceptStatus::garbage_arguments);
  }
  if (x_service.audit != nullptr && status != Status::garbage) {
    const auto number = static_cast<std::uint32_t>(status);
    if (x_service.audit->wants(audit_kind(op), number, peer, note)) {
      co_await x_service.audit->record(peer, "nfs3." + std::string(op.name), number, note);
    }
  }
  if (x_observer) {
    x_observer(op.procedure, static_cast<std::uint32_t>(status), bytes_in, reply.size(),
               x_service.clock.steady_ns() - started);
  }
}

}  // namespace outcrop::nfs::v3
