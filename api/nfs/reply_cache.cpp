#include "api/nfs/reply_cache.h"

#include <algorithm>

#include "storage/digest/xxh.h"

namespace outcrop::nfs {

ReplyKey ReplyKey::of(const Peer& peer, const RpcCall& call) {
  ReplyKey key;
  if (peer.address.is_v4()) {
    std::ranges::copy(peer.address.to_v4().to_bytes(), key.address.begin());
    key.address.back() = 4;  // unlike any IPv6 address that is written as ::
  } else {
    std::ranges::copy(peer.address.to_v6().to_bytes(), key.address.begin());
  }
  key.port = peer.port;
  key.xid = call.xid;
  key.program = call.program;
  key.version = call.version;
  key.procedure = call.procedure;
  const std::array who{call.credentials.uid, call.credentials.gid};
  XdrReader rest = call.arguments;
  key.checksum = digest::xxh3_64({std::as_bytes(std::span(who)), rest.fixed_opaque(rest.left())});
  return key;
}

std::size_t ReplyCache::Hash::operator()(const ReplyKey& key) const {
  return key.checksum ^ (std::uint64_t{key.xid} * 0x9E3779B97F4A7C15);
}

ReplyCache::ReplyCache(const Clock& clock, Limits limits) : x_clock(clock), x_limits(limits) {}

ReplyCache::Ticket::~Ticket() {
  if (x_cache != nullptr) {
    x_cache->forget(x_key);
  }
}

void ReplyCache::Ticket::keep(std::string reply) {
  if (x_cache != nullptr) {
    std::exchange(x_cache, nullptr)->finish(x_key, std::move(reply));
  }
}

std::size_t ReplyCache::cost(const Entry& entry) {
  constexpr std::size_t kNodes = 96;  // of the list, the index and the shared string
  return sizeof(Entry) + kNodes + (entry.reply ? entry.reply->size() : 0);
}

ReplyCache::Shard& ReplyCache::shard(const ReplyKey& key) {
  // Not the low bits, which choose the bucket inside.
  return x_shards[Hash{}(key) >> 60 & (kShards - 1)];
}

void ReplyCache::erase(Shard& in, Order::iterator entry) {
  in.bytes -= cost(*entry);
  in.index.erase(entry->key);
  in.order.erase(entry);
}

bool ReplyCache::make_room(Shard& in, std::size_t bytes) const {
  const auto full = [&] {
    return in.order.size() + 1 > std::max<std::size_t>(1, x_limits.entries / kShards) ||
           in.bytes + bytes > x_limits.bytes / kShards;
  };
  for (auto it = in.order.begin(); full() && it != in.order.end();) {
    const auto candidate = it++;
    if (candidate->reply) {
      erase(in, candidate);
    }
  }
  return !full();
}

ReplyCache::Found ReplyCache::begin(const ReplyKey& key) {
  const std::int64_t now = x_clock.steady_ns();
  Shard& in = shard(key);
  const std::lock_guard lock(in.mutex);
  if (const auto it = in.index.find(key); it != in.index.end()) {
    const Entry& entry = *it->second;
    if (!entry.reply) {
      return {State::in_progress, nullptr, {}};
    }
    if (now - entry.at_ns <= x_limits.age_ns) {
      return {State::done, entry.reply, {}};
    }
    erase(in, it->second);
  }
  Entry entry{key, nullptr, now};
  if (!make_room(in, cost(entry))) {
    return {};  // served without being kept
  }
  in.bytes += cost(entry);
  in.order.push_back(std::move(entry));
  in.index.emplace(key, std::prev(in.order.end()));
  return {State::fresh, nullptr, Ticket(this, key)};
}

void ReplyCache::finish(const ReplyKey& key, std::string reply) {
  Shard& in = shard(key);
  const std::lock_guard lock(in.mutex);
  const auto it = in.index.find(key);
  if (reply.size() > x_limits.reply_bytes) {
    erase(in, it->second);
    return;
  }
  Entry entry{key, std::make_shared<const std::string>(std::move(reply)), x_clock.steady_ns()};
  erase(in, it->second);
  if (make_room(in, cost(entry))) {
    in.bytes += cost(entry);
    in.order.push_back(std::move(entry));
    in.index.emplace(key, std::prev(in.order.end()));
  }
}

void ReplyCache::forget(const ReplyKey& key) {
  Shard& in = shard(key);
  const std::lock_guard lock(in.mutex);
  erase(in, in.index.find(key)->second);
}

std::size_t ReplyCache::entries() const {
  std::size_t sum = 0;
  for (const Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    sum += s.order.size();
  }
  return sum;
}

std::size_t ReplyCache::bytes() const {
  std::size_t sum = 0;
  for (const Shard& s : x_shards) {
    const std::lock_guard lock(s.mutex);
    sum += s.bytes;
  }
  return sum;
}

}  // namespace outcrop::nfs
