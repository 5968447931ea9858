// SEQUENCE and its slot (RFC 8881 2.10.6, 18.46): exactly-once by slot, sequence number and cached
// reply. One lookup and one short critical section per compound.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "api/nfs/v4state/clients.h"
#include "api/nfs/v4state/types.h"

namespace outcrop::nfs {

struct Session;  // session_table.h, private to this folder

// sr_status_flags that this server ever sets.
inline constexpr std::uint32_t kSequenceExpiredAllStateRevoked = 0x0000'0008;
inline constexpr std::uint32_t kSequenceExpiredSomeStateRevoked = 0x0000'0010;

struct SequenceArgs {
  SessionId session{};
  std::uint32_t sequence = 0;
  std::uint32_t slot = 0;
  std::uint32_t highest_slot = 0;
  bool cache_this = false;
  // Of the compound that it leads:
  std::uint64_t digest = 0;  ///< of the credentials and of all bytes behind SEQUENCE: false retries
  std::uint32_t request_bytes = 0;  ///< of the whole RPC call: REQ_TOO_BIG
  std::uint32_t operations = 0;     ///< SEQUENCE included: TOO_MANY_OPS
  std::uint64_t connection = 0;     ///< becomes associated with the session (SP4_NONE)
};

/// A slot in use by one compound. Exactly one of finish() and destruction ends it; destruction
/// without finish() (the call died) leaves the slot so that a retry runs the request again. Keeps
/// the session's memory; a session destroyed meanwhile just takes no reply. Any thread, one at a
/// time.
class SlotTicket {
 public:
  SlotTicket() = default;
  SlotTicket(std::shared_ptr<Session> session, std::uint32_t slot)
      : x_session(std::move(session)), x_slot(slot) {}
  SlotTicket(SlotTicket&& other) noexcept = default;
  SlotTicket& operator=(SlotTicket&& other) noexcept;
  ~SlotTicket() { abandon(); }

  explicit operator bool() const { return x_session != nullptr; }
  const ClientRef& client() const;
  const SessionId& session() const;
  const ChannelAttributes& fore() const;  ///< REP_TOO_BIG and REP_TOO_BIG_TO_CACHE are the engine's
  bool cache_this() const;
  /// True if a reply of `bytes` would be kept for retries; false: do not flatten it.
  bool keeps(std::size_t bytes) const;
  /// The compound is done; `encoded` is the COMPOUND result (without RPC header), or null if
  /// keeps() said no. Call it before the reply can reach the client.
  void finish(CachedReply encoded);

 private:
  void abandon();
  std::shared_ptr<Session> x_session;
  std::uint32_t x_slot = 0;
};

struct SequenceResult {
  /// ok: run the compound, then ticket.finish(). Unless `replay` is set: send these bytes instead.
  /// Errors beside the wire's own: delay while the first try is still running. RETRY_UNCACHED_REP:
  /// SEQUENCE itself is answered with success (the fields below are set) and the second operation
  /// with the error (RFC 8881 2.10.6.1.3).
  Status status = Status::ok;
  CachedReply replay{};
  SlotTicket ticket{};
  // Of the reply to SEQUENCE; session, sequence and slot are echoed by the engine.
  std::uint32_t highest_slot = 0, target_highest_slot = 0;
  std::uint32_t status_flags = 0;
};

// BIND_CONN_TO_SESSION (RFC 8881 18.34).
enum class BindDirection : std::uint32_t { fore = 1, back = 2, fore_or_both = 3, back_or_both = 7 };
enum class BoundDirection : std::uint32_t { fore = 1, back = 2, both = 3 };

}  // namespace outcrop::nfs
