// The basic types of NFSv4 state as they stand on the wire, and who a caller is.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/nfs/v4state/status.h"

namespace outcrop::nfs {

using ClientId = std::uint64_t;
using Verifier = std::array<std::byte, 8>;
using SessionId = std::array<std::byte, 16>;
using StateidOther = std::array<std::byte, 12>;

struct Stateid {
  std::uint32_t seqid = 0;
  StateidOther other{};
  bool operator==(const Stateid&) const = default;
};

namespace detail {
constexpr StateidOther all_bytes(std::byte b) {
  StateidOther other{};
  other.fill(b);
  return other;
}
}  // namespace detail

// The special stateids (RFC 8881 8.2.3). READ, WRITE and SETATTR take the first two; the engine
// puts its current stateid in place of the third before it calls this layer; the fourth never is
// valid.
inline constexpr Stateid kAnonymousStateid{0, {}};
inline constexpr Stateid kBypassStateid{UINT32_MAX, detail::all_bytes(std::byte{0xff})};
inline constexpr Stateid kCurrentStateid{1, {}};
inline constexpr Stateid kInvalidStateid{UINT32_MAX, {}};

/// `other` all zeros or all ones: not a stateid that was handed out.
constexpr bool is_special(const Stateid& id) {
  return id.other == kAnonymousStateid.other || id.other == kBypassStateid.other;
}

/// NFS4_OPAQUE_LIMIT: client owners, open owners, lock owners.
inline constexpr std::size_t kMaxOwnerBytes = 1024;

/// Who made a client id: another principal neither confirms, updates, replaces nor destroys it.
/// `host` is the subject of the verified client certificate, without one the machine name of
/// AUTH_SYS. (RPCSEC_GSS would add a flavor and put the principal's name here.)
struct Principal {
  std::uint32_t flavor = 0;
  std::uint32_t uid = UINT32_MAX;
  std::string host;
  bool operator==(const Principal&) const = default;
};

// Share reservations (OPEN). The low bits of share_access; the engine strips WANT flags.
inline constexpr std::uint32_t kAccessRead = 1, kAccessWrite = 2, kAccessBoth = 3;
inline constexpr std::uint32_t kDenyNone = 0, kDenyRead = 1, kDenyWrite = 2, kDenyBoth = 3;

/// A client of this server run (state behind it is private). Null in operations of 4.0 that name
/// their client only by a stateid. Holding one keeps memory, not the client.
struct Client;
using ClientRef = std::shared_ptr<Client>;
ClientId client_id(const ClientRef& client);

/// On whose behalf a stateful operation runs.
struct StateContext {
  ClientRef client;         ///< of the session (4.1+) or of find_client(); see ClientRef
  std::uint32_t minor = 1;  ///< 0: seqid 0 means nothing special, limits answer RESOURCE
};

/// An encoded reply that is kept for a retry; shared, never changed.
using CachedReply = std::shared_ptr<const std::string>;

}  // namespace outcrop::nfs
