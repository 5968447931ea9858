#include "api/nfs/dispatch.h"

#include <algorithm>

namespace outcrop::nfs {

/// NULL does nothing, for any program and with any credential; with AUTH_TLS it asks for TLS. True:
/// answered.
bool Dispatcher::answer_null(RpcCall& call,
                             bool tls_offered,
                             XdrWriter& reply,
                             Outcome& outcome) const {
  if (call.credentials.flavor == AuthFlavor::tls) {
    if (!tls_offered) {
      write_refused(reply, {.xid = call.xid, .auth = AuthStatus::bad_credentials});
      return true;
    }
    write_starttls(reply, call.xid);
    outcome = Outcome::starttls;
    return true;
  }
  if (call.procedure != 0) {
    return false;
  }
  write_accepted(reply, call.xid, AcceptStatus::success);
  return true;
}

/// Null: there is none, and `reply` says so.
Program* Dispatcher::find(const RpcCall& call, XdrWriter& reply) const {
  std::uint32_t low = UINT32_MAX, high = 0;
  for (Program* const p : x_programs) {
    if (p->program() != call.program) {
      continue;
    }
    if (p->version() == call.version) {
      return p;
    }
    low = std::min(low, p->version());
    high = std::max(high, p->version());
  }
  if (low > high) {
    write_accepted(reply, call.xid, AcceptStatus::program_unavailable);
  } else {
    write_program_mismatch(reply, call.xid, low, high);
  }
  return nullptr;
}

Program* Dispatcher::route(
    Buffer record, bool tls_offered, RpcCall& call, XdrWriter& reply, Outcome& outcome) const {
  outcome = Outcome::reply;
  ParsedCall parsed = parse_call(std::move(record));
  if (std::holds_alternative<NotACall>(parsed)) {
    outcome = Outcome::hang_up;
    return nullptr;
  }
  if (const auto* refused = std::get_if<RefusedCall>(&parsed)) {
    write_refused(reply, *refused);
    return nullptr;
  }
  call = std::move(std::get<RpcCall>(parsed));
  Program* const program = find(call, reply);
  if (program == nullptr || answer_null(call, tls_offered, reply, outcome)) {
    return nullptr;
  }
  return program;
}

Async<Dispatcher::Outcome> Dispatcher::serve(const Peer& peer,
                                             Buffer record,
                                             bool tls_offered,
                                             XdrWriter& reply) const {
  RpcCall call;
  Outcome outcome = Outcome::reply;
  if (Program* const program = route(std::move(record), tls_offered, call, reply, outcome)) {
    co_await program->call(peer, call, reply);
  }
  co_return outcome;
}

}  // namespace outcrop::nfs
