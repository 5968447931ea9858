// Arguments and results of the operations that make, prove and end clients: EXCHANGE_ID,
// CREATE_SESSION (4.1, RFC 8881 18.35 and 18.36), SETCLIENTID (4.0, RFC 7530 16.33).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/nfs/v4state/types.h"

namespace outcrop::nfs {

// EXCHANGE_ID flags (RFC 8881 18.35.1).
inline constexpr std::uint32_t kExchangeSuppMovedRefer = 0x0000'0001;
inline constexpr std::uint32_t kExchangeSuppMovedMigr = 0x0000'0002;
inline constexpr std::uint32_t kExchangeBindPrincStateid = 0x0000'0100;
inline constexpr std::uint32_t kExchangeUseNonPnfs = 0x0001'0000;
inline constexpr std::uint32_t kExchangeUsePnfsMds = 0x0002'0000;
inline constexpr std::uint32_t kExchangeUsePnfsDs = 0x0004'0000;
inline constexpr std::uint32_t kExchangeUpdateConfirmed = 0x4000'0000;
inline constexpr std::uint32_t kExchangeConfirmed = 0x8000'0000;
/// What a client may set; anything else is INVAL (also fencing of RFC 7862, which needs pNFS).
inline constexpr std::uint32_t kExchangeArgumentMask =
    kExchangeSuppMovedRefer | kExchangeSuppMovedMigr | kExchangeBindPrincStateid |
    kExchangeUseNonPnfs | kExchangeUsePnfsMds | kExchangeUsePnfsDs | kExchangeUpdateConfirmed;

enum class StateProtect : std::uint32_t { none = 0, machine_credential = 1, ssv = 2 };

struct ExchangeIdArgs {
  std::string_view owner;  ///< co_ownerid
  Verifier verifier{};     ///< co_verifier
  std::uint32_t flags = 0;
  /// SP4_MACH_CRED needs a flavor with integrity: INVAL. SP4_SSV: ENCR_ALG_UNSUPP, which offers
  /// nothing to negotiate further. The result is always SP4_NONE.
  StateProtect protect = StateProtect::none;
};

struct ExchangeIdResult {
  ClientId client = 0;
  std::uint32_t sequence = 0;  ///< eir_sequenceid: of the next CREATE_SESSION
  std::uint32_t flags = 0;
};

/// nfsstate: where 4.0 callbacks would go; kept, for no delegation is granted yet.
struct Callback {
  std::uint32_t program = 0;
  std::string netid, address;
  std::uint32_t ident = 0;
};

struct SetClientIdArgs {
  std::string_view owner;
  Verifier verifier{};
  Callback callback{};
};
struct SetClientIdResult {
  ClientId client = 0;
  Verifier confirm{};
};

struct ChannelAttributes {
  std::uint32_t header_pad = 0;
  std::uint32_t max_request = 0;
  std::uint32_t max_response = 0;
  std::uint32_t max_response_cached = 0;
  std::uint32_t max_operations = 0;
  std::uint32_t max_requests = 0;  ///< slots
  bool operator==(const ChannelAttributes&) const = default;
};

inline constexpr std::uint32_t kSessionPersist = 1, kSessionBackChannel = 2, kSessionRdma = 4;

struct CreateSessionArgs {
  ClientId client = 0;
  std::uint32_t sequence = 0;
  std::uint32_t flags = 0;
  ChannelAttributes fore{}, back{};
  std::uint32_t callback_program = 0;
};
struct CreateSessionResult {
  SessionId session{};
  std::uint32_t sequence = 0;
  std::uint32_t flags = 0;  ///< never PERSIST or RDMA; BACK_CHAN as asked
  ChannelAttributes fore{}, back{};
};

}  // namespace outcrop::nfs
