#include "api/nfs/rpc.h"

namespace outcrop::nfs {
namespace {

constexpr std::uint32_t kCall = 0, kReply = 1, kRpcVersion = 2;
constexpr std::uint32_t kAccepted = 0, kDenied = 1;
constexpr std::uint32_t kRpcMismatch = 0, kAuthError = 1;

/// The body of an AUTH_SYS credential; false if it is not exactly one.
bool read_auth_sys(ConstBytes body, Credentials& out) {
  XdrReader in(body);
  in.u32();  // stamp: the client's own
  out.machine = in.string(kMaxMachineName);
  out.uid = in.u32();
  out.gid = in.u32();
  const std::size_t groups = in.count(kMaxGroups);
  out.groups.reserve(groups);
  for (std::size_t i = 0; i < groups; ++i) {
    out.groups.push_back(in.u32());
  }
  return in.done();
}

void write_reply(XdrWriter& out, std::uint32_t xid, std::uint32_t status) {
  out.u32(xid);
  out.u32(kReply);
  out.u32(status);
}

void write_no_verifier(XdrWriter& out) {
  out.u32(static_cast<std::uint32_t>(AuthFlavor::none));
  out.u32(0);
}

}  // namespace

ParsedCall parse_call(Buffer record) {
  RpcCall call;
  XdrReader in(std::move(record));
  call.xid = in.u32();
  const std::uint32_t direction = in.u32();
  const std::uint32_t version = in.u32();
  if (!in.ok() || direction != kCall) {
    return NotACall{};
  }
  if (version != kRpcVersion) {
    return RefusedCall{.xid = call.xid, .version_mismatch = true};
  }
  call.program = in.u32();
  call.version = in.u32();
  call.procedure = in.u32();
  const std::uint32_t flavor = in.u32();
  const std::uint32_t size = in.u32();
  if (!in.ok()) {
    return NotACall{};
  }
  if (size > kMaxCredentialBytes) {
    return RefusedCall{.xid = call.xid, .auth = AuthStatus::bad_credentials};
  }
  const ConstBytes body = in.fixed_opaque(size);
  const std::uint32_t verifier = in.u32();
  const ConstBytes verifier_body = in.opaque(kMaxCredentialBytes);
  if (!in.ok()) {
    return NotACall{};
  }
  call.credentials.flavor = static_cast<AuthFlavor>(flavor);
  switch (call.credentials.flavor) {
    case AuthFlavor::none:
      break;
    case AuthFlavor::sys:
      if (!read_auth_sys(body, call.credentials)) {
        return RefusedCall{.xid = call.xid, .auth = AuthStatus::bad_credentials};
      }
      if (verifier != static_cast<std::uint32_t>(AuthFlavor::none) || !verifier_body.empty()) {
        return RefusedCall{.xid = call.xid, .auth = AuthStatus::bad_verifier};
      }
      break;
    case AuthFlavor::tls:
      // A probe, not a credential: RFC 9289 section 4.1 allows it on NULL only, and empty.
      if (call.procedure != 0 || !body.empty()) {
        return RefusedCall{.xid = call.xid, .auth = AuthStatus::bad_credentials};
      }
      break;
    default:
      return RefusedCall{.xid = call.xid, .auth = AuthStatus::bad_credentials};
  }
  call.arguments = std::move(in);
  return call;
}

void write_accepted(XdrWriter& out, std::uint32_t xid, AcceptStatus status) {
  write_reply(out, xid, kAccepted);
  write_no_verifier(out);
  out.u32(static_cast<std::uint32_t>(status));
}

void write_program_mismatch(XdrWriter& out,
                            std::uint32_t xid,
                            std::uint32_t low,
                            std::uint32_t high) {
  write_accepted(out, xid, AcceptStatus::program_mismatch);
  out.u32(low);
  out.u32(high);
}

void write_starttls(XdrWriter& out, std::uint32_t xid) {
  write_reply(out, xid, kAccepted);
  out.u32(static_cast<std::uint32_t>(AuthFlavor::none));
  out.string("STARTTLS");
  out.u32(static_cast<std::uint32_t>(AcceptStatus::success));
}

void write_refused(XdrWriter& out, const RefusedCall& call) {
  write_reply(out, call.xid, kDenied);
  if (call.version_mismatch) {
    out.u32(kRpcMismatch);
    out.u32(kRpcVersion);
    out.u32(kRpcVersion);
    return;
  }
  out.u32(kAuthError);
  out.u32(static_cast<std::uint32_t>(call.auth));
}

}  // namespace outcrop::nfs
