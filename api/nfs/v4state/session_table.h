// Sessions and their slots; private to this folder. Lookup takes one shard's mutex, a SEQUENCE one
// slot's: compounds of one session meet only in the lookup.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "api/nfs/v4state/config.h"
#include "api/nfs/v4state/sessions.h"
#include "api/nfs/v4state/state_objects.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"

namespace outcrop::nfs {

struct alignas(64) Slot {
  std::mutex mutex;
  std::uint32_t sequence = 0;  ///< of the last request taken
  bool used = false;
  bool busy = false;
  bool cache_this = false;
  std::uint64_t digest = 0;
  CachedReply reply;
};

struct Session {
  Session(SessionId name, ClientRef of, const CreateSessionResult& granted)
      : id(name),
        client(std::move(of)),
        fore(granted.fore),
        back(granted.back),
        flags(granted.flags),
        slots(granted.fore.max_requests) {}

  const SessionId id;
  const ClientRef client;
  const ChannelAttributes fore, back;
  const std::uint32_t flags;
  std::size_t reserved_bytes = 0;  ///< of the reply caches' memory
  std::atomic<bool> gone = false;
  std::vector<Slot> slots;

  /// Connections that were seen, each at its place; a later one may take the place of another,
  /// which then has to prove itself by its principal where association counts.
  std::array<std::atomic<std::uint64_t>, 16> fore_connections{};
  std::mutex back_mutex;
  std::vector<std::uint64_t> back_connections;
  std::uint32_t callback_program = 0;

  void associate(std::uint64_t connection) {
    auto& place = fore_connections[connection % fore_connections.size()];
    if (place.load(std::memory_order_relaxed) != connection) {
      place.store(connection, std::memory_order_relaxed);
    }
  }
  bool associated(std::uint64_t connection) const {
    return fore_connections[connection % fore_connections.size()] == connection;
  }
  void associate_back(std::uint64_t connection);
};

class SessionTable {
 public:
  SessionTable(const StateConfig& config, const Clock& clock, Random& random)
      : x_config(config), x_clock(clock), x_random(random) {}

  /// What is granted of what a client asks, or TOOSMALL. Slots depend on the memory left.
  Outcome<CreateSessionResult> negotiate(const CreateSessionArgs& args) const;
  /// Makes the session of a granted request and gives it its id.
  SessionPtr create(const ClientRef& client, CreateSessionResult& granted);
  SessionPtr find(const SessionId& id);
  /// Its memory is free again when the last compound on it has ended.
  void destroy(Session& session);
  SequenceResult sequence(const SequenceArgs& args);

  std::size_t size() const { return x_count; }
  std::size_t reserved_bytes() const { return x_reserved; }
  /// Too much is reserved for sessions that are not their client's first.
  bool crowded() const { return x_reserved > x_config.limits.reply_cache_bytes * 2; }

 private:
  struct IdHash {
    std::size_t operator()(const SessionId& id) const {
      std::uint64_t h;  // random bytes
      std::memcpy(&h, id.data(), sizeof h);
      return h;
    }
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<SessionId, SessionPtr, IdHash> sessions;
  };
  static constexpr std::size_t kShards = 64;
  Shard& shard(const SessionId& id) {
    return x_shards[static_cast<std::size_t>(id.back()) % kShards];
  }
  static Status take_slot(Session& session, const SequenceArgs& args, SequenceResult& out);

  const StateConfig& x_config;
  const Clock& x_clock;
  Random& x_random;
  std::atomic<std::size_t> x_count = 0, x_reserved = 0;
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::nfs
