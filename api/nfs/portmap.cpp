#include "api/nfs/portmap.h"

#include <algorithm>

namespace outcrop::nfs {
namespace {

constexpr std::uint32_t kSet = 1, kUnset = 2, kGetPort = 3, kDump = 4;

PortMapping read_mapping(XdrReader& in) {
  PortMapping m;
  m.program = in.u32();
  m.version = in.u32();
  m.protocol = in.u32();
  m.port = in.u32();
  return m;
}

}  // namespace

Async<> Portmap::call(const Peer& /*peer*/, RpcCall& call, XdrWriter& reply) {
  switch (call.procedure) {
    case kSet:
    case kUnset:
      read_mapping(call.arguments);
      if (!call.arguments.ok()) {
        write_accepted(reply, call.xid, AcceptStatus::garbage_arguments);
        break;
      }
      write_accepted(reply, call.xid, AcceptStatus::success);
      reply.boolean(false);
      break;
    case kGetPort:
      get_port(call, reply);
      break;
    case kDump:
      dump(call, reply);
      break;
    default:  // CALLIT would let anybody send calls from our address
      write_accepted(reply, call.xid, AcceptStatus::procedure_unavailable);
  }
  co_return;
}

/// Port 0: not there.
void Portmap::get_port(RpcCall& call, XdrWriter& reply) const {
  const PortMapping wanted = read_mapping(call.arguments);
  if (!call.arguments.ok()) {
    write_accepted(reply, call.xid, AcceptStatus::garbage_arguments);
    return;
  }
  const auto found = std::ranges::find_if(x_mappings, [&wanted](const PortMapping& m) {
    return m.program == wanted.program && m.version == wanted.version &&
           m.protocol == wanted.protocol;
  });
  write_accepted(reply, call.xid, AcceptStatus::success);
  reply.u32(found == x_mappings.end() ? 0 : found->port);
}

void Portmap::dump(RpcCall& call, XdrWriter& reply) const {
  write_accepted(reply, call.xid, AcceptStatus::success);
  for (const PortMapping& m : x_mappings) {
    reply.boolean(true);
    reply.u32(m.program);
    reply.u32(m.version);
    reply.u32(m.protocol);
    reply.u32(m.port);
  }
  reply.boolean(false);
}

}  // namespace outcrop::nfs
