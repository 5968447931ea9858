// A sharded cache, bounded in bytes, that never shows a value older than an acknowledged write.
// A writer holds a Block on the key from before its commit until after it: during that time the key
// is absent and cannot be filled. A reader takes a Token before it reads the store and fills with
// it; the fill is dropped if a writer has blocked the key since. Any thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace outcrop::ns {

/// Directory renames change the meaning of any number of keys at once: they move the generation of
/// their bucket, and entries of another generation do not count.
class Generations {
  struct Slot {
    std::atomic<std::uint64_t> started{0}, finished{0};
  };

 public:
  /// Held while a rename commits: no generation is current, so caches are not used at all.
  class Window {
   public:
    explicit Window(Generations& owner, std::uint64_t root) : x_slot(&owner.slot(root)) {
      x_slot->started.fetch_add(1);
    }
    Window(Window&& other) noexcept : x_slot(std::exchange(other.x_slot, nullptr)) {}
    Window& operator=(Window&&) = delete;
    ~Window() {
      if (x_slot) {
        x_slot->finished.fetch_add(1);
      }
    }

   private:
    Slot* x_slot;
  };

  /// Empty while a rename is on its way.
  std::optional<std::uint64_t> current(std::uint64_t root) {
    Slot& s = slot(root);
    const std::uint64_t finished = s.finished.load();
    const std::uint64_t started = s.started.load();
    return finished == started ? std::optional(started) : std::nullopt;
  }

 private:
  Slot& slot(std::uint64_t root) { return x_slots[root % x_slots.size()]; }
  std::array<Slot, 256> x_slots;
};

template <class Value>
class GuardedCache {
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kGuards =
      64;  ///< per shard: keys that share one are blocked together
  struct Guard {
    std::uint32_t blocks = 0;
    std::uint64_t version = 0;
  };
  struct Entry {
    std::string key;
    Value value;
    std::uint64_t generation;
    std::size_t weight;
  };
  using Entries = std::list<Entry>;
  struct alignas(64) Shard {
    std::mutex mutex;
    Entries lru;  ///< most recent first
    std::unordered_map<std::string_view, typename Entries::iterator> index;
    std::size_t weight = 0;
    std::array<Guard, kGuards> guards;
  };

 public:
  explicit GuardedCache(std::size_t max_bytes) : x_max_shard(max_bytes / kShards) {}
  GuardedCache(const GuardedCache&) = delete;

  struct Token {
    std::uint64_t version = 0;
    bool usable = false;
  };

  class Block {
   public:
    Block(GuardedCache& cache, std::string_view key) : x_cache(&cache), x_hash(hash(key)) {
      Shard& s = cache.shard(x_hash);
      const std::lock_guard lock(s.mutex);
      ++guard(s, x_hash).blocks;
      ++guard(s, x_hash).version;
      cache.drop(s, key);
    }
    Block(Block&& other) noexcept
        : x_cache(std::exchange(other.x_cache, nullptr)), x_hash(other.x_hash) {}
    Block& operator=(Block&&) = delete;
    ~Block() {
      if (x_cache) {
        Shard& s = x_cache->shard(x_hash);
        const std::lock_guard lock(s.mutex);
        --guard(s, x_hash).blocks;
        ++guard(s, x_hash).version;
      }
    }

   private:
    GuardedCache* x_cache;
    std::uint64_t x_hash;
  };

  std::optional<Value> lookup(std::string_view key, std::uint64_t generation = 0) {
    return find(key, generation).value;
  }

  struct Found {
    std::optional<Value> value;
    Token token;  ///< from before the lookup: usable to fill, and for unchanged()
  };
  /// begin() and lookup() in one.
  Found find(std::string_view key, std::uint64_t generation = 0) {
    const std::uint64_t h = hash(key);
    Shard& s = shard(h);
    const std::lock_guard lock(s.mutex);
    const Guard& g = guard(s, h);
    Found out{std::nullopt, {g.version, g.blocks == 0}};
    const auto it = s.index.find(key);
    if (it == s.index.end()) {
      return out;
    }
    if (it->second->generation != generation) {
      drop(s, key);
      return out;
    }
    s.lru.splice(s.lru.begin(), s.lru, it->second);
    out.value = it->second->value;
    return out;
  }

  Token begin(std::string_view key) {
    const std::uint64_t h = hash(key);
    Shard& s = shard(h);
    const std::lock_guard lock(s.mutex);
    const Guard& g = guard(s, h);
    return {g.version, g.blocks == 0};
  }

  /// True if no writer has touched the key since begin(): what was read in between is current.
  bool unchanged(std::string_view key, Token token) {
    const std::uint64_t h = hash(key);
    Shard& s = shard(h);
    const std::lock_guard lock(s.mutex);
    return valid(guard(s, h), token);
  }

  void fill(std::string_view key,
            Token token,
            Value value,
            std::size_t bytes,
            std::uint64_t generation = 0) {
    const std::size_t weight = bytes + key.size() + sizeof(Entry) + 64;
    const std::uint64_t h = hash(key);
    Shard& s = shard(h);
    const std::lock_guard lock(s.mutex);
    if (!valid(guard(s, h), token) || weight > x_max_shard) {
      return;
    }
    drop(s, key);
    s.lru.push_front({std::string(key), std::move(value), generation, weight});
    s.index.emplace(s.lru.front().key, s.lru.begin());
    s.weight += weight;
    while (s.weight > x_max_shard) {
      drop(s, s.lru.back().key);
    }
  }

 private:
  static std::uint64_t hash(std::string_view key) { return std::hash<std::string_view>{}(key); }
  static bool valid(const Guard& g, Token token) {
    return token.usable && g.version == token.version;
  }
  static Guard& guard(Shard& s, std::uint64_t h) { return s.guards[(h >> 8) % kGuards]; }
  Shard& shard(std::uint64_t h) { return x_shards[h % kShards]; }
  void drop(Shard& s, std::string_view key) {
    const auto it = s.index.find(key);
    if (it != s.index.end()) {
      const auto entry = it->second;
      s.weight -= entry->weight;
      s.index.erase(it);
      s.lru.erase(entry);
    }
  }

  const std::size_t x_max_shard;
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::ns
