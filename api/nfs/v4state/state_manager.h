// All NFSv4 state of one server run: clients, sessions, opens, byte-range locks, leases, grace.
// Both minor version families share it, so that a deny mode or lock of one is seen by the other.
// Sans-IO: it knows no XDR and no sockets; the only I/O is the recovery store's.
//
// Thread: any worker calls anything at any time. Plain functions never block (short mutexes); the
// coroutines suspend only for the recovery store, without a mutex. Views in arguments are borrowed
// until the call (or coroutine) completes. Statuses are what the operation answers with.
//
// Leases: SEQUENCE, RENEW, SETCLIENTID_CONFIRM, CREATE_SESSION and every 4.0 operation with a valid
// stateid or client id renew. A client whose lease is over keeps everything (courtesy) until
// another client's OPEN or LOCK conflicts; then just the states in the way are revoked: they answer
// EXPIRED, SEQUENCE says EXPIRED_SOME/ALL_STATE_REVOKED until each was freed by FREE_STATEID, and
// its recovery record is erased before the other client is answered, so that it cannot reclaim them
// after a restart.
//
// How a compound of 4.1+ uses it: sequence() -> ticket; operations with {ticket.client(), minor};
// ticket.finish(). One of 4.0: find_client() for operations that carry a client id; for those with
// an owner's seqid a begin_*() gate first, then the operation, then OwnerTicket::finish().
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "api/nfs/v4state/clients.h"
#include "api/nfs/v4state/config.h"
#include "api/nfs/v4state/locks.h"
#include "api/nfs/v4state/opens.h"
#include "api/nfs/v4state/recovery_store.h"
#include "api/nfs/v4state/sessions.h"
#include "api/nfs/v4state/types.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/base/task.h"

namespace outcrop::nfs {

/// How much there is; for metrics and tests. A sample, not a transaction.
struct StateCounts {
  std::size_t confirmed_clients = 0, unconfirmed_clients = 0, sessions = 0;
  std::size_t owners = 0, opens = 0, lock_states = 0, ranges = 0, revoked = 0;
  std::size_t state_bytes = 0, reply_cache_bytes = 0;
};

class StateManager {
 public:
  /// All borrowed; they outlive it. `random` must be safe to call from any thread.
  StateManager(StateConfig config, const Clock& clock, Random& random, RecoveryStore& store);
  ~StateManager();  ///< no operation and no ticket may be in flight
  StateManager(const StateManager&) = delete;

  /// Loads the records and starts the grace period if there are any. Once, before all else.
  Task<> start();
  /// Housekeeping, about once a second: ends grace, lets go of what is over its courtesy, recycles
  /// unconfirmed clients, writes down erasures. Errors of the store are kept for the next time and
  /// returned for the log.
  Task<> tick();
  const StateConfig& config() const;
  /// In grace REMOVE, RENAME and the like of non-reclaiming clients answer GRACE, too: the
  /// engine's.
  bool in_grace() const;
  StateCounts counts() const;

  // -- Clients of 4.1+ --
  /// INVAL (flags, machine credentials), ENCR_ALG_UNSUPP (SSV), CLID_INUSE, NOENT, NOT_SAME, PERM,
  /// DELAY.
  Outcome<ExchangeIdResult> exchange_id(const ExchangeIdArgs& args, const Principal& caller);
  /// STALE_CLIENTID, SEQ_MISORDERED, CLID_INUSE, INVAL, TOOSMALL, NOSPC, DELAY. A retry gets the
  /// same result again. `connection` becomes associated, as the back channel too if asked.
  Outcome<CreateSessionResult> create_session(const CreateSessionArgs& args,
                                              const Principal& caller,
                                              std::uint64_t connection);
  /// BADSESSION; CONN_NOT_BOUND_TO_SESSION if neither the connection is associated nor the caller
  /// is the principal of the client id. That it is the last operation of its compound if it names
  /// the compound's own session is the engine's to check (NOT_ONLY_OP, SEQUENCE_POS).
  Status destroy_session(const SessionId& session,
                         const Principal& caller,
                         std::uint64_t connection);
  /// STALE_CLIENTID (also for another principal), CLIENTID_BUSY.
  Status destroy_client(ClientId client, const Principal& caller);
  /// BADSESSION, INVAL.
  Outcome<BoundDirection> bind_connection(const SessionId& session,
                                          std::uint32_t direction,
                                          std::uint64_t connection);
  /// BACKCHANNEL_CTL of the compound's session: remembered for delegations to come. NOENT: the
  /// session has no back channel.
  Status backchannel_control(const SlotTicket& ticket, std::uint32_t callback_program);
  /// `file_system`: rca_one_fs, the root (or another number) of the current filehandle's file
  /// system. COMPLETE_ALREADY. The last one that was waited for ends grace.
  Status reclaim_complete(const ClientRef& client, std::optional<std::uint64_t> file_system);

  // -- Sessions --
  /// Every compound of 4.1+. BADSESSION, DEADSESSION, BADSLOT, SEQ_MISORDERED, SEQ_FALSE_RETRY,
  /// RETRY_UNCACHED_REP, BAD_HIGH_SLOT, REQ_TOO_BIG, TOO_MANY_OPS, DELAY; see SequenceResult.
  SequenceResult sequence(const SequenceArgs& args);

  // -- Clients of 4.0 --
  /// CLID_INUSE, INVAL, RESOURCE.
  Outcome<SetClientIdResult> set_client_id(const SetClientIdArgs& args, const Principal& caller);
  /// STALE_CLIENTID, CLID_INUSE, RESOURCE.
  Status confirm_client_id(ClientId client, const Verifier& confirm, const Principal& caller);
  /// RENEW. STALE_CLIENTID for ids of an earlier run, EXPIRED for clients of this one that are gone
  /// or lost states to others; SETCLIENTID and its confirmation end that.
  Status renew(ClientId client);
  /// The client of an operation that carries its id (OPEN, LOCKT, LOCK with a new owner,
  /// RELEASE_LOCKOWNER); renews. STALE_CLIENTID, EXPIRED (gone).
  Outcome<ClientRef> find_client(ClientId client);

  // -- Sequence numbers of 4.0 owners (opens.h) --
  /// OPEN. Makes the owner if it is new; an owner that was never confirmed starts over.
  SeqidResult begin_open(const ClientRef& client, std::string_view owner, std::uint32_t seqid);
  /// OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE, LOCK and LOCKU of an existing lock owner: the owner
  /// behind `stateid` (also of an open just closed: CLOSE is retried). BAD_STATEID, STALE_STATEID,
  /// BAD_SEQID.
  SeqidResult begin_stateid(const Stateid& stateid, std::uint32_t seqid);
  /// LOCK with open_to_lock_owner: the open owner behind `open_stateid` takes open_seqid; a lock
  /// owner that exists already must expect `lock_seqid` (BAD_SEQID).
  SeqidResult begin_new_lock(const ClientRef& client,
                             const Stateid& open_stateid,
                             std::uint32_t open_seqid,
                             std::string_view lock_owner,
                             std::uint32_t lock_seqid);

  // -- Opens --
  /// Grants the open, or upgrades the owner's open of this file. Waits for the recovery store if it
  /// is the client's first, or if states of an expired client had to go. SHARE_DENIED, GRACE,
  /// NO_GRACE, RECLAIM_BAD, RECLAIM_CONFLICT, EXPIRED, DELAY/RESOURCE, INVAL, IO, NOSPC, ROFS.
  Async<Outcome<OpenGrant>> open(StateContext context, OpenRequest request);
  /// What open() would say to claim and grace, before the file is made or truncated: GRACE,
  /// NO_GRACE, RECLAIM_BAD.
  Status may_open(const StateContext& context, bool reclaim) const;
  /// Share conflicts only, without granting: before UNCHECKED creation truncates what is there.
  Status test_share(const OpenRequest& request) const;
  /// Takes open()'s grant back: the rest of OPEN failed, and the client never sees the stateid.
  void undo_open(const StateContext& context, const OpenGrant& grant);
  /// 4.0. BAD_STATEID, OLD_STATEID, STALE_STATEID, EXPIRED. `file`: the current filehandle's, as in
  /// all that follow; another one is BAD_STATEID.
  Outcome<Stateid> confirm_open(const StateContext& context, const Stateid& id, ns::FileId file);
  /// INVAL unless the new modes are a subset and were the modes of opens that were sent.
  Outcome<Stateid> downgrade(const StateContext& context,
                             const Stateid& id,
                             ns::FileId file,
                             std::uint32_t access,
                             std::uint32_t deny);
  /// Locks of the open go with it. The stateid returned is the invalid one in 4.1+
  /// (RFC 8881 18.2.4) and the next of the old in 4.0. BAD_STATEID, OLD_STATEID, EXPIRED.
  Outcome<Stateid> close(const StateContext& context, const Stateid& id, ns::FileId file);

  // -- Stateids --
  /// READ, WRITE, SETATTR(size) and their like. BAD_STATEID, OLD_STATEID, STALE_STATEID, EXPIRED,
  /// OPENMODE; with the special stateids LOCKED (a deny mode) and GRACE; DELAY while the deny mode
  /// of an expired client is revoked. NFSv3 may ask with the anonymous stateid and no client.
  Outcome<IoGrant> check_io(const StateContext& context,
                            const Stateid& id,
                            ns::FileId file,
                            IoKind kind);
  /// TEST_STATEID: one status per id, in order.
  std::vector<Status> test_stateids(const ClientRef& client, std::span<const Stateid> ids);
  /// FREE_STATEID: BAD_STATEID, OLD_STATEID, LOCKS_HELD.
  Status free_stateid(const ClientRef& client, const Stateid& id);

  // -- Byte-range locks --
  /// DENIED (with the conflict), GRACE, NO_GRACE, RECLAIM_BAD, INVAL, OPENMODE, BAD_STATEID and the
  /// like, DELAY/RESOURCE, SERVERFAULT. Waits for the store only if states of an expired client had
  /// to go.
  Async<LockResult> lock(StateContext context, LockRequest request);
  LockTestResult test_lock(const StateContext& context, const LockTestRequest& request);
  /// Unlocking what is not locked is ok. INVAL, BAD_STATEID and the like, DELAY/RESOURCE (a split
  /// needs one range more).
  Outcome<Stateid> unlock(const StateContext& context,
                          const Stateid& id,
                          ns::FileId file,
                          std::uint64_t offset,
                          std::uint64_t length);
  /// 4.0. LOCKS_HELD.
  Status release_lock_owner(const ClientRef& client, std::string_view owner);

 private:
  struct Parts;
  std::unique_ptr<Parts> x;
};

}  // namespace outcrop::nfs
