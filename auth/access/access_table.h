// The access settings of all buckets that have any: in the metadata store, and as one snapshot in
// memory that requests look into without waiting. Any thread.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/access/bucket_access.h"
#include "auth/identity/async_mutex.h"
#include "storage/meta/meta_store.h"

namespace outcrop::access {

/// All documents together: they are all in memory.
inline constexpr std::size_t kMaxPolicyBytesTogether = 32 << 20;

class AccessTable {
 public:
  using Held = identity::AsyncMutex::Held;
  /// `buckets`: name and root of those there are. Settings of others are left overs of a bucket
  /// that was deleted, and erased. A record that cannot be read is an error: the server must not
  /// serve a bucket without the policy that protects it. Errc::corrupt.
  static Task<std::unique_ptr<AccessTable>> open(
      meta::MetaStore& meta,
      const std::vector<std::pair<std::string, InodeId>>& buckets,
      policy::PublicAccessBlock block_by_default);

  /// Null: nothing is set.
  BucketAccessPtr find(std::string_view bucket) const;
  policy::PublicAccessBlock block_of(const BucketAccess* access) const {
    return access != nullptr && access->block ? *access->block : x_default;
  }
  policy::PublicAccessBlock block_by_default() const { return x_default; }

  /// Called after every published change, on the worker that made it. Set once, before any change.
  void on_change(std::function<void()> hook) { x_hook = std::move(hook); }

  /// Buckets are made, deleted and changed one at a time: so no bucket ever has the settings of
  /// one that had its name before.
  Async<Held> lock() { return x_changing.acquire(); }
  /// Durable and visible on return. no_space beyond kMaxPolicyBytesTogether.
  Task<> put(const Held& held, BucketAccess next);
  /// After the bucket was deleted.
  Task<> forget(const Held& held, std::string_view bucket);

 private:
  using Map = std::map<std::string, BucketAccessPtr, std::less<>>;
  AccessTable(meta::MetaStore& meta, policy::PublicAccessBlock block_by_default);
  Task<> load(const std::vector<std::pair<std::string, InodeId>>& buckets);
  std::shared_ptr<const Map> snapshot() const;
  void publish(Map next);

  meta::MetaStore& x_meta;
  const policy::PublicAccessBlock x_default;
  const std::uint64_t x_serial;  // tells tables apart in the threads' caches
  std::function<void()> x_hook;
  identity::AsyncMutex x_changing;
  mutable std::mutex x_mutex;
  std::shared_ptr<const Map> x_map;
  std::atomic<std::uint64_t> x_version{0};
};

}  // namespace outcrop::access
