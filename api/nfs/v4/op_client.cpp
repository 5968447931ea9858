// Operations that make and end clients: SETCLIENTID, SETCLIENTID_CONFIRM, RENEW of 4.0;
// EXCHANGE_ID, DESTROY_CLIENTID, RECLAIM_COMPLETE of 4.1.
#include "api/nfs/v4/ops.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxNetId = 128, kMaxNetAddress = 256;  ///< of a callback
constexpr std::size_t kMaxAlgorithms = 64, kMaxOid = 64;      ///< of SP4_SSV
constexpr std::size_t kMaxImplementation = 1024;              ///< domain and name
constexpr std::string_view kImplementationName = "Outcrop";

void skip_bitmap(XdrReader& in) { AttributeSet::read(in); }

void skip_protection(XdrReader& in, StateProtect how) {
  if (how == StateProtect::none) {
    return;
  }
  skip_bitmap(in);
  skip_bitmap(in);
  if (how == StateProtect::machine_credential) {
    return;
  }
  for (int list = 0; list < 2; ++list) {
    for (std::size_t n = in.count(kMaxAlgorithms); n > 0; --n) {
      in.opaque(kMaxOid);
    }
  }
  in.u64();  // window, number of handles
}

void skip_implementation(XdrReader& in) {
  if (in.count(1, 8) == 1) {
    in.opaque(kMaxImplementation);
    in.opaque(kMaxImplementation);
    in.u64();
    in.u32();
  }
}

ExchangeIdArgs read_exchange_id(XdrReader& in) {
  ExchangeIdArgs out;
  out.verifier = read_verifier(in);
  out.owner = in.string(kMaxOwnerBytes);
  out.flags = in.u32();
  const std::uint32_t protect = in.u32();
  if (protect > static_cast<std::uint32_t>(StateProtect::ssv)) {
    in.fail();
    return out;
  }
  out.protect = static_cast<StateProtect>(protect);
  skip_protection(in, out.protect);
  skip_implementation(in);
  return out;
}

}  // namespace

Async<Status> op_setclientid(Compound& c, XdrReader& in, XdrWriter& out) {
  SetClientIdArgs args;
  args.verifier = read_verifier(in);
  args.owner = in.string(kMaxOwnerBytes);
  args.callback.program = in.u32();
  args.callback.netid = in.string(kMaxNetId);
  args.callback.address = in.string(kMaxNetAddress);
  args.callback.ident = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<SetClientIdResult> made = c.core.state.set_client_id(args, c.principal());
  if (!made) {
    if (made.error() == Status::clid_inuse) {
      out.string("");  // where the other client is, is nobody's business
      out.string("");
    }
    co_return made.error();
  }
  out.u64(made->client);
  out.fixed_opaque(made->confirm);
  co_return Status::ok;
}

Async<Status> op_setclientid_confirm(Compound& c, XdrReader& in, XdrWriter&) {
  const ClientId client = in.u64();
  const Verifier confirm = read_verifier(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  co_return c.core.state.confirm_client_id(client, confirm, c.principal());
}

Async<Status> op_renew(Compound& c, XdrReader& in, XdrWriter&) {
  const ClientId client = in.u64();
  co_return in.ok() ? c.core.state.renew(client) : Status::badxdr;
}

Async<Status> op_exchange_id(Compound& c, XdrReader& in, XdrWriter& out) {
  const ExchangeIdArgs args = read_exchange_id(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  const Outcome<ExchangeIdResult> made = c.core.state.exchange_id(args, c.principal());
  if (!made) {
    co_return made.error();
  }
  out.u64(made->client);
  out.u32(made->sequence);
  out.u32(made->flags);
  out.u32(static_cast<std::uint32_t>(StateProtect::none));
  out.u64(0);  // so_minor_id
  out.string(c.core.server_id);
  out.string(c.core.server_id);  // the scope: state of one cluster
  out.u32(1);
  out.string("");
  out.string(kImplementationName);
  out.i64(0);
  out.u32(0);
  co_return Status::ok;
}

Async<Status> op_destroy_clientid(Compound& c, XdrReader& in, XdrWriter&) {
  const ClientId client = in.u64();
  co_return in.ok() ? c.core.state.destroy_client(client, c.principal()) : Status::badxdr;
}

Async<Status> op_reclaim_complete(Compound& c, XdrReader& in, XdrWriter&) {
  const bool one_file_system = in.boolean();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  std::optional<std::uint64_t> which;
  if (one_file_system) {
    if (!c.current) {
      co_return Status::nofilehandle;
    }
    which = c.current->file().root;
  }
  co_return c.core.state.reclaim_complete(c.slot.client(), which);
}

}  // namespace outcrop::nfs::v4
