// ONC RPC version 2 (RFC 5531) over TCP: record marking, call headers, reply headers. Sans-IO.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/nfs/xdr.h"

namespace outcrop::nfs {

inline constexpr std::uint32_t kProgramPortmap = 100'000;
inline constexpr std::uint32_t kProgramNfs = 100'003;
inline constexpr std::uint32_t kProgramMount = 100'005;

/// The largest record taken: a 1 MiB WRITE with its compound, as Linux sizes its sessions.
inline constexpr std::size_t kMaxRecordBytes = (1 << 20) + (64 << 10);
/// Of one record. Clients that cut what they send into 2 KiB (pynfs) or 9000 bytes (libtirpc) must
/// get a 1 MiB WRITE through.
inline constexpr std::size_t kMaxFragments = 1024;
inline constexpr std::size_t kMaxCredentialBytes = 400;
inline constexpr std::size_t kMaxMachineName = 255;
inline constexpr std::size_t kMaxGroups = 16;

enum class AuthFlavor : std::uint32_t { none = 0, sys = 1, tls = 7 };

/// What a client says about its user (AUTH_SYS, RFC 5531 appendix A); AUTH_NONE: nobody.
struct Credentials {
  AuthFlavor flavor = AuthFlavor::none;
  std::string machine;
  std::uint32_t uid = UINT32_MAX, gid = UINT32_MAX;
  std::vector<std::uint32_t> groups;
};

struct RpcCall {
  std::uint32_t xid = 0, program = 0, version = 0, procedure = 0;
  Credentials credentials;
  XdrReader arguments;
  /// Data and entries that the reply may carry: less than asked when memory is short. The transport
  /// says so; parse_call() does not touch it.
  std::size_t most_data = SIZE_MAX;
};

enum class AcceptStatus : std::uint32_t {
  success = 0,
  program_unavailable = 1,
  program_mismatch = 2,
  procedure_unavailable = 3,
  garbage_arguments = 4,
  system_error = 5,
};

enum class AuthStatus : std::uint32_t {
  bad_credentials = 1,
  rejected_credentials = 2,
  bad_verifier = 3,
  too_weak = 5,
};

/// The end of the connection is the only answer to what is not a call at all.
struct NotACall {};
/// A call that is answered with a refusal; `xid` is the call's.
struct RefusedCall {
  std::uint32_t xid = 0;
  bool version_mismatch = false;  ///< RPC version is not 2
  AuthStatus auth = AuthStatus::bad_credentials;
};
using ParsedCall = std::variant<RpcCall, RefusedCall, NotACall>;

ParsedCall parse_call(Buffer record);

// Reply headers; the results follow. Without record mark: the session writes it when the length is
// known.
void write_accepted(XdrWriter& out, std::uint32_t xid, AcceptStatus status);
/// PROG_MISMATCH with the versions there are.
void write_program_mismatch(XdrWriter& out,
                            std::uint32_t xid,
                            std::uint32_t low,
                            std::uint32_t high);
/// Success of a NULL call with AUTH_TLS: the verifier says STARTTLS (RFC 9289 section 4.1).
void write_starttls(XdrWriter& out, std::uint32_t xid);
void write_refused(XdrWriter& out, const RefusedCall& call);

}  // namespace outcrop::nfs
