// Opens and stateids: arguments and results of OPEN and what follows it (RFC 8881 8, 9, 18.16;
// RFC 7530 9, 16.16), with the owner sequence numbers of 4.0.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/nfs/v4state/types.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

struct StateOwner;  // state_objects.h, private to this folder

struct OpenRequest {
  std::string_view owner;
  ns::FileId file;
  std::uint32_t access = 0;  ///< 1 to 3, WANT flags stripped; else INVAL
  std::uint32_t deny = 0;    ///< 0 to 3; else INVAL
  bool reclaim = false;      ///< CLAIM_PREVIOUS
  ns::OpenHoldPtr hold{};    ///< kept with a new open; for an upgrade the first one stays
};

struct OpenGrant {
  Stateid stateid{};
  bool confirm = false;  ///< 4.0: OPEN4_RESULT_CONFIRM, the owner is new
  bool made = false;     ///< a new open, not an upgrade of the owner's
  // To take back what was granted if the rest of OPEN fails (undo_open):
  std::uint32_t previous_access = 0, previous_deny = 0, previous_seen = 0;
};

/// What READ, WRITE, SETATTR(size), ALLOCATE, DEALLOCATE, SEEK, CLONE, COPY do with the file.
enum class IoKind : std::uint8_t { read, write };

struct IoGrant {
  /// An open or lock stateid allows it; false with the anonymous and the bypass stateid. Whether
  /// the caller may is the engine's: anyone can send a stateid.
  bool by_open = false;
};

/// Why there is no delegation (why_no_delegation4).
enum class NoDelegation : std::uint32_t {
  not_wanted = 0,
  contention = 1,
  resource = 2,
  not_supp_ftype = 3,
  write_deleg_not_supp_ftype = 4,
  not_supp_upgrade = 5,
  not_supp_downgrade = 6,
  cancelled = 7,
  is_dir = 8,
};

inline constexpr std::uint32_t kWantMask = 0xff00, kWantNone = 0x0000, kWantRead = 0x0100,
                               kWantWrite = 0x0200, kWantAny = 0x0300, kWantNoDelegation = 0x0400,
                               kWantCancel = 0x0500;
inline constexpr std::uint32_t kWantSignal = 0x0001'0000, kWantPush = 0x0002'0000;

/// share_access of OPEN taken apart.
struct ShareAccess {
  std::uint32_t access = 0;  ///< 1 to 3
  /// Set: answer OPEN_DELEGATE_NONE_EXT with it (4.1+ and the client said what it wants);
  /// server_will_push/signal are false. Empty: OPEN_DELEGATE_NONE.
  std::optional<NoDelegation> no_delegation{};
};
/// INVAL for access 0, for flags that are none, and for any flag in 4.0.
Outcome<ShareAccess> parse_share_access(std::uint32_t share_access, std::uint32_t minor);

/// An owner of 4.0 whose sequence number was accepted for one operation (RFC 7530 9.1.7). While it
/// lives the owner takes no other. finish() advances the number and keeps the reply, except for the
/// errors that must not (STALE_CLIENTID, STALE_STATEID, BAD_STATEID, BAD_SEQID, BADXDR, RESOURCE,
/// NOFILEHANDLE, MOVED); destruction without it advances nothing.
class OwnerTicket {
 public:
  OwnerTicket() = default;
  OwnerTicket(std::shared_ptr<StateOwner> owner,
              std::uint32_t seqid,
              std::shared_ptr<StateOwner> lock_owner = {},
              std::uint32_t lock_seqid = 0)
      : x_owner(std::move(owner)),
        x_lock_owner(std::move(lock_owner)),
        x_seqid(seqid),
        x_lock_seqid(lock_seqid) {}
  OwnerTicket(OwnerTicket&& other) noexcept = default;
  OwnerTicket& operator=(OwnerTicket&& other) noexcept;
  ~OwnerTicket() { abandon(); }
  explicit operator bool() const { return x_owner != nullptr; }

  /// `encoded`: the operation's result with its status (the body behind nfs_resop4's number).
  void finish(Status status, std::string encoded);

 private:
  void abandon();
  std::shared_ptr<StateOwner> x_owner;
  std::shared_ptr<StateOwner> x_lock_owner;  ///< LOCK with open_to_lock_owner
  std::uint32_t x_seqid = 0, x_lock_seqid = 0;
};

/// What became of an owner's sequence number.
struct SeqidResult {
  Status status = Status::ok;  ///< else answer it; no ticket
  CachedReply replay{};        ///< set: a retry; send these bytes as the operation's result
  bool drop = false;  ///< the first try is still running: send no reply at all to the compound
  OwnerTicket ticket{};
};

}  // namespace outcrop::nfs
