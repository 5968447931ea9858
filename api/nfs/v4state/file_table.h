// Stateids, and what is open and locked per file; private to this folder. Files are spread over
// shards by their id, stateids by their bytes; each shard has one short mutex. Operations take the
// client's mutex first where owners change (state_objects.h has the order).
//
// Conflicts with states of clients whose lease is over never refuse: those states are revoked, and
// the erasure of their clients' records is queued in the same critical section. So whoever is
// granted something answers only when Recovery is not dirty any more.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/nfs/v4state/budget.h"
#include "api/nfs/v4state/config.h"
#include "api/nfs/v4state/locks.h"
#include "api/nfs/v4state/opens.h"
#include "api/nfs/v4state/range_index.h"
#include "api/nfs/v4state/recovery.h"
#include "api/nfs/v4state/state_objects.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"

namespace outcrop::nfs {

/// What a critical section lets go of is destroyed behind it: the end of an OpenHold can be work.
using Trash = std::vector<std::shared_ptr<const void>>;

struct FileState {
  std::unordered_map<StateOwner*, OpenPtr> opens;
  std::unordered_map<StateOwner*, LockStatePtr> locks;
  std::array<std::uint32_t, 2> readers_writers{}, denying{};  ///< opens per bit of access, deny
  RangeIndex shared, exclusive;
  bool empty() const { return opens.empty() && locks.empty(); }
};

class FileTable {
 public:
  FileTable(const StateConfig& config,
            const Clock& clock,
            Random& random,
            Budget& budget,
            Recovery& recovery);
  ~FileTable();

  // -- Clients: their tag is in their stateids, so that 4.0 can tell EXPIRED from BAD_STATEID --
  bool add_client(ClientId client);  ///< false: the tag is taken
  void drop_client(ClientId client);
  /// Takes all state of a client that is gone; closes it for new. Also drops idle owners.
  void release_client(Client& client);
  /// 4.0: forgets revoked states (the client starts over with a confirmed SETCLIENTID).
  void forget_revoked(Client& client);
  /// 4.0: owners without states for a lease.
  void purge_idle_owners(Client& client);

  // -- Owners of 4.0 (owner_gate.cpp) --
  SeqidResult begin_open(const ClientRef& client, std::string_view owner, std::uint32_t seqid);
  SeqidResult begin_stateid(const Stateid& id, std::uint32_t seqid);
  SeqidResult begin_new_lock(const ClientRef& client,
                             const Stateid& open_stateid,
                             std::uint32_t open_seqid,
                             std::string_view lock_owner,
                             std::uint32_t lock_seqid);

  // -- Opens (opens.cpp) --
  Outcome<OpenGrant> open(const StateContext& context, const OpenRequest& request);
  Status test_share(const OpenRequest& request);
  void undo_open(const StateContext& context, const OpenGrant& grant);
  Outcome<Stateid> confirm(const StateContext& context, const Stateid& id, ns::FileId file);
  Outcome<Stateid> downgrade(const StateContext& context,
                             const Stateid& id,
                             ns::FileId file,
                             std::uint32_t access,
                             std::uint32_t deny);
  Outcome<Stateid> close(const StateContext& context, const Stateid& id, ns::FileId file);

  // -- Stateids (stateids.cpp) --
  struct IoCheck {
    Outcome<IoGrant> result;
    bool courtesy = false;  ///< refused only by deny modes of expired clients
  };
  IoCheck check_io(const StateContext& context, const Stateid& id, ns::FileId file, IoKind kind);
  /// Revokes the opens of expired clients that deny anything on the file.
  void break_denials(ns::FileId file);
  Status test(const Client& client, const Stateid& id);
  Status free(Client& client, const Stateid& id);

  // -- Locks (locks.cpp) --
  LockResult lock(const StateContext& context, const LockRequest& request);
  LockTestResult test_lock(const StateContext& context, const LockTestRequest& request);
  Outcome<Stateid> unlock(const StateContext& context,
                          const Stateid& id,
                          ns::FileId file,
                          std::uint64_t offset,
                          std::uint64_t length);
  Status release_lock_owner(Client& client, std::string_view owner);

 private:
  struct FileHash {
    std::size_t operator()(const ns::FileId& f) const {
      std::uint64_t h = (f.ino ^ (f.root << 32)) * 0x9e37'79b9'7f4a'7c15;
      return h ^ (h >> 29);
    }
  };
  struct alignas(64) FileShard {
    std::mutex mutex;
    std::unordered_map<ns::FileId, FileState, FileHash> files;
  };
  struct alignas(64) IdShard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, StatePtr> states;
  };
  static constexpr std::size_t kFileShards = 256, kIdShards = 64;

  FileShard& shard(const ns::FileId& file) { return x_files[FileHash()(file) % kFileShards]; }
  IdShard& shard(std::uint64_t id) { return x_ids[(id ^ (id >> 17)) % kIdShards]; }
  static FileState* find(FileShard& at, const ns::FileId& file);
  static void drop_if_empty(FileShard& at, const ns::FileId& file);

  // Stateids.
  StatePtr find(const Stateid& id);
  /// The state that an operation names, before the file's shard is locked: not a special one, the
  /// caller's, and of this file (if one is given). Renews clients of 4.0.
  Outcome<StatePtr> named(const StateContext& context, const Stateid& id, const ns::FileId* file);
  Status unknown(const StateContext& context, const Stateid& id);
  /// Under the shard: life and seqid.
  static Status check(const State& state, const Stateid& id, std::uint32_t minor);
  /// A fresh id, entered for the state that `make` builds from it.
  template <class T>
  std::shared_ptr<T> make_state(const ns::FileId& file, const OwnerPtr& owner);
  void drop_id(const State& state);
  /// 4.0: a closed open is found again, so that a retry of CLOSE finds its owner.
  void keep_closed(const OpenPtr& open);

  // Owners; the client's mutex is held.
  Outcome<OwnerPtr> obtain_owner(const ClientRef& client, std::string_view name, bool locks);
  static OwnerPtr find_owner(Client& client, std::string_view name, bool locks);
  void settle_owner(const OwnerPtr& owner);
  void remove_owner(const OwnerPtr& owner);
  void forget_closed(StateOwner& owner);
  void drop_states(const OwnerPtr& owner, Trash& trash);
  enum class Turn : std::uint8_t { run, replay, drop, bad };
  static Turn turn(const StateOwner& owner, std::uint32_t seqid);
  static void start(StateOwner& owner, std::uint32_t seqid);
  SeqidResult answer(Turn turn, const OwnerPtr& owner, std::uint32_t seqid);

  // Opens and locks; the file's shard is held.
  static void count_share(FileState& f, std::uint32_t access, std::uint32_t deny, int by);
  Status share_conflict(const FileState& f,
                        std::uint32_t access,
                        std::uint32_t deny,
                        std::vector<OpenPtr>& in_the_way) const;
  Outcome<OpenGrant> grant_open(FileState& f,
                                const OpenRequest& request,
                                const OwnerPtr& owner,
                                OpenPtr own);
  /// Takes a live state off its file: shares, ranges, ties between opens and locks.
  void unlink(FileState& f, State& state, Trash& trash);
  void unlink_open(FileState& f, OpenState& open, Trash& trash);
  void unlink_lock(FileState& f, LockState& lock, Trash& trash);
  void revoke(FileState& f, State& state, Trash& trash);
  /// The last of a state that is unlinked or revoked: id and accounts. The client's mutex is held.
  void forget(State& state);
  void clear_ranges(FileState& f, LockState& lock);
  /// Changes own ranges: `write` empty unlocks. False: one limit too far, nothing changed.
  bool set_range(FileState& f,
                 LockState& lock,
                 std::uint64_t first,
                 std::uint64_t last,
                 std::optional<bool> write);
  std::optional<LockConflict> lock_conflict(FileState& f,
                                            const StateOwner* own,
                                            std::uint64_t first,
                                            std::uint64_t last,
                                            bool write) const;
  static Status lock_base(const StateContext& context,
                          const LockRequest& request,
                          const State& base);
  void break_locks(FileState& f,
                   const StateOwner& own,
                   const LockRequest& request,
                   std::pair<std::uint64_t, std::uint64_t> range,
                   Trash& trash);
  LockResult grant_lock(FileState& f,
                        const LockRequest& request,
                        std::pair<std::uint64_t, std::uint64_t> range,
                        const StatePtr& base,
                        const OwnerPtr& owner);

  bool expired(const State& state) const {
    return state.client().expired(x_clock.steady_ns(), x_config.lease_ns);
  }

  const StateConfig& x_config;
  const Clock& x_clock;
  Random& x_random;
  Budget& x_budget;
  Recovery& x_recovery;
  const std::uint32_t x_boot;
  std::mutex x_tags_mutex;
  std::unordered_set<std::uint32_t> x_tags;
  std::array<FileShard, kFileShards> x_files;
  std::array<IdShard, kIdShards> x_ids;
};

/// The status for a limit: the client should try again later.
inline Status limit_status(std::uint32_t minor) {
  return minor == 0 ? Status::resource : Status::delay;
}

/// First and last byte; INVAL for length 0 and what exceeds 64 bits (RFC 8881 18.10.3).
Outcome<std::pair<std::uint64_t, std::uint64_t>> byte_range(std::uint64_t offset,
                                                            std::uint64_t length);

/// The tag that a client's id and its stateids share.
inline std::uint32_t client_tag(ClientId client) { return static_cast<std::uint32_t>(client); }

}  // namespace outcrop::nfs
