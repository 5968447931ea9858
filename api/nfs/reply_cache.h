// The duplicate request cache: what was answered to calls that must not be done twice, for clients
// that send them again because the answer was lost with its connection (NFSv3, NFSv4.0; sessions
// have slots instead). Bounded in entries, bytes and age; what falls out is done again if it is
// sent again, as it would be without a cache.
#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "api/nfs/peer.h"
#include "api/nfs/rpc.h"
#include "storage/base/clock.h"

namespace outcrop::nfs {

/// A call as a retransmission repeats it. The checksum tells calls apart whose clients start to
/// count their xids anew.
struct ReplyKey {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  std::uint32_t xid = 0, program = 0, version = 0, procedure = 0;
  std::uint64_t checksum = 0;  ///< of the caller's uid and gid and the arguments
  bool operator==(const ReplyKey&) const = default;

  static ReplyKey of(const Peer& peer, const RpcCall& call);
};

/// Any thread.
class ReplyCache {
 public:
  struct Limits {
    std::size_t entries = 16'384;
    std::size_t bytes = 8 << 20;       ///< of replies and what they cost to keep
    std::size_t reply_bytes = 16'384;  ///< longer replies are not kept
    std::int64_t age_ns = 120'000'000'000;
  };
  /// `clock` is borrowed.
  explicit ReplyCache(const Clock& clock) : ReplyCache(clock, Limits{}) {}
  ReplyCache(const Clock& clock, Limits limits);

  enum class State : std::uint8_t {
    fresh,        ///< do it, then keep() what it was answered
    in_progress,  ///< somebody does it just now: no answer
    done,         ///< send `reply`
  };
  /// Of a fresh call: given up without keep(), the call may be made again.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : x_cache(std::exchange(other.x_cache, nullptr)) {
      x_key = other.x_key;
    }
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();
    void keep(std::string reply);

   private:
    friend class ReplyCache;
    Ticket(ReplyCache* cache, const ReplyKey& key) : x_cache(cache), x_key(key) {}
    ReplyCache* x_cache = nullptr;  ///< null: nothing is kept
    ReplyKey x_key;
  };
  struct Found {
    State state = State::fresh;
    std::shared_ptr<const std::string> reply;  ///< done: the whole reply, header included
    Ticket ticket;                             ///< fresh
  };
  Found begin(const ReplyKey& key);

  std::size_t entries() const;
  std::size_t bytes() const;

 private:
  struct Entry {
    ReplyKey key;
    std::shared_ptr<const std::string> reply;  ///< null while the call is being served
    std::int64_t at_ns = 0;
  };
  using Order = std::list<Entry>;  ///< oldest first
  struct Hash {
    std::size_t operator()(const ReplyKey& key) const;
  };
  struct Shard {
    mutable std::mutex mutex;
    Order order;
    std::unordered_map<ReplyKey, Order::iterator, Hash> index;
    std::size_t bytes = 0;
  };

  static constexpr std::size_t kShards = 16;
  static std::size_t cost(const Entry& entry);
  Shard& shard(const ReplyKey& key);
  void finish(const ReplyKey& key, std::string reply);
  void forget(const ReplyKey& key);
  static void erase(Shard& in, Order::iterator entry);
  /// Makes room for one more entry of `bytes`: false if all that is left is being served.
  bool make_room(Shard& in, std::size_t bytes) const;

  const Clock& x_clock;
  const Limits x_limits;
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::nfs
