// The objects of NFSv4 state and who guards them; private to this folder.
//
// Mutexes, always taken in this order: ClientTable's, Client::mutex, a file shard's (FileTable), a
// stateid shard's. At most one of a kind at a time. Objects are shared: a pointer keeps memory, the
// flags say whether the thing still counts.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/nfs/v4state/budget.h"
#include "api/nfs/v4state/clients.h"
#include "api/nfs/v4state/opens.h"
#include "api/nfs/v4state/types.h"

namespace outcrop::nfs {

struct Session;
struct State;
struct OpenState;
struct LockState;
using StatePtr = std::shared_ptr<State>;
using OpenPtr = std::shared_ptr<OpenState>;
using LockStatePtr = std::shared_ptr<LockState>;
using OwnerPtr = std::shared_ptr<StateOwner>;
using SessionPtr = std::shared_ptr<Session>;

/// An open owner or a lock owner of one client. Guarded by the client's mutex.
struct StateOwner {
  StateOwner(ClientRef of, std::string called, bool locks)
      : client(std::move(of)), name(std::move(called)), lock_owner(locks) {}

  const ClientRef client;
  const std::string name;
  const bool lock_owner;

  /// Open owners of 4.0 are confirmed by OPEN_CONFIRM; all others are from the start. Atomic
  /// because READ and WRITE look at it without the mutex.
  std::atomic<bool> confirmed = true;
  bool gone = false;  ///< not in the client's map any more
  bool busy = false;  ///< an operation with `busy_seqid` runs
  bool seqid_known = false;
  std::uint32_t seqid = 0;  ///< of the last operation that counted
  std::uint32_t busy_seqid = 0;
  CachedReply reply;  ///< of that operation
  std::unordered_set<StatePtr> states;
  OpenPtr last_closed;          ///< still found by its stateid, for a retry of CLOSE
  std::int64_t idle_since = 0;  ///< 4.0: no states since then; 0: it has some
  bool queued = false;          ///< it stands in Client::idle_owners
};

enum class StateKind : std::uint8_t { open, lock };
enum class StateLife : std::uint8_t { live, revoked, closed };

/// What a stateid names. Guarded by the shard of its file; the const members by nothing.
struct State {
  State(StateKind what, StateidOther name, ns::FileId of, OwnerPtr by)
      : kind(what), other(name), file(of), owner(std::move(by)) {}
  virtual ~State() = default;

  const StateKind kind;
  const StateidOther other;
  const ns::FileId file;
  const OwnerPtr owner;
  StateLife life = StateLife::live;
  std::uint32_t seqid = 1;

  Client& client() const { return *owner->client; }
  Stateid id() const { return {seqid, other}; }
  /// Past 2^32 - 1 comes 1: 0 is not a number of a state (RFC 8881 8.2.2).
  void advance() {
    if (++seqid == 0) {
      seqid = 1;
    }
  }
};

struct OpenState final : State {
  OpenState(StateidOther name, ns::FileId of, OwnerPtr by)
      : State(StateKind::open, name, of, std::move(by)) {}
  std::uint32_t access = 0, deny = 0;
  /// Modes that OPENs of it asked for, which OPEN_DOWNGRADE may go back to: bit 1 << access in the
  /// low half, bit 1 << deny in the high one.
  std::uint32_t seen = 0;
  ns::OpenHoldPtr hold;
  std::vector<LockState*> locks;  ///< that were made through it
};

struct LockRange {
  std::uint64_t last = 0;  ///< inclusive
  bool write = false;
};
/// By first byte; disjoint, and two that touch differ in type.
using LockRanges = std::map<std::uint64_t, LockRange>;

struct LockState final : State {
  LockState(StateidOther name, ns::FileId of, OwnerPtr by)
      : State(StateKind::lock, name, of, std::move(by)) {}
  std::vector<OpenPtr> opens;  ///< it ends with the last of them
  LockRanges ranges;
};

struct Client {
  Client(ClientId number, bool with_sessions, std::string_view called, Principal by)
      : id(number), sessions_family(with_sessions), owner(called), principal(std::move(by)) {}

  const ClientId id;
  const bool sessions_family;  ///< made by EXCHANGE_ID, else by SETCLIENTID
  const std::string owner;
  const Principal principal;

  // Guarded by ClientTable.
  Verifier verifier{};
  bool confirmed = false;
  std::int64_t made_ns = 0;
  Callback callback;                                    ///< 4.0
  Verifier confirm{};                                   ///< 4.0
  std::uint32_t create_sequence = 0;                    ///< of the last CREATE_SESSION
  std::optional<Outcome<CreateSessionResult>> created;  ///< its result

  std::atomic<std::int64_t> lease_ns = 0;  ///< last renewed
  std::atomic<bool> recorded = false;      ///< the recovery store has it
  std::atomic<bool> ended = false;         ///< off the table; written under Recovery's mutex
  std::atomic<bool> may_reclaim = false;   ///< it had a record when the server started
  std::atomic<bool> reclaimed = false;     ///< and got something back
  std::atomic<bool> reclaim_complete = false;
  // How much there is of it.
  std::atomic<std::size_t> owners = 0, opens = 0, lock_states = 0, ranges = 0, revoked = 0;
  bool modest() const { return owners + opens + lock_states + ranges + revoked <= kModestHolding; }

  std::mutex mutex;
  // Guarded by `mutex`.
  bool gone = false;  ///< takes no new state
  std::unordered_map<std::string, OwnerPtr> open_owners, lock_owners;
  std::deque<std::pair<std::int64_t, OwnerPtr>> idle_owners;  ///< 4.0: when to look again from
  std::vector<SessionPtr> sessions;
  std::set<std::uint64_t> reclaimed_file_systems;

  void renew(std::int64_t now_ns) { lease_ns.store(now_ns, std::memory_order_relaxed); }
  bool expired(std::int64_t now_ns, std::int64_t lease) const {
    return now_ns - lease_ns.load(std::memory_order_relaxed) > lease;
  }
  bool has_state() const { return opens != 0 || lock_states != 0; }
};

}  // namespace outcrop::nfs
