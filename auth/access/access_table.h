// The access settings of all buckets that have any: in the metadata store, and as one snapshot in
// memory that requests look into without waiting. Any thread.
#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "auth/access/bucket_access.h"
#include "auth/access/bucket_table.h"
#include "auth/identity/async_mutex.h"

namespace outcrop::access {

/// All documents together: they are all in memory.
inline constexpr std::size_t kMaxPolicyBytesTogether = 32 << 20;

class AccessTable {
 public:
  using Held = identity::AsyncMutex::Held;
  /// A record that cannot be read closes its bucket, for nobody knows whom it kept out: it is
  /// unreadable(), and everything public is blocked.
  static Task<std::unique_ptr<AccessTable>> open(meta::MetaStore& meta,
                                                 const BucketRoots& buckets,
                                                 policy::PublicAccessBlock block_by_default);

  /// Null: nothing is set.
  BucketAccessPtr find(std::string_view bucket) const { return x_table.find(bucket); }
  /// Of all buckets that have any, as it is now.
  auto snapshot() const { return x_table.snapshot(); }
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
  struct Codec {
    static std::string key(InodeId root) { return bucket_access_key(root); }
    static std::string encode(const BucketAccess& access) { return access::encode(access); }
    static Result<BucketAccess> decode(std::string_view key, std::string_view value) {
      return decode_bucket_access(key, value);
    }
    static BucketAccess unreadable(std::string bucket, InodeId root) {
      return {.bucket = std::move(bucket),
              .root = root,
              .policy_text = {},
              .block = policy::kBlockAll,
              .block_set = true,
              .account = std::string(kNobody),
              .owner = std::string(kNobody),
              .damaged = true};
    }
  };
  AccessTable(meta::MetaStore& meta, policy::PublicAccessBlock block_by_default)
      : x_table(meta, kMaxPolicyBytesTogether), x_default(block_by_default) {}
  void changed() const {
    if (x_hook) {
      x_hook();
    }
  }

  BucketTable<BucketAccess, Codec> x_table;
  const policy::PublicAccessBlock x_default;
  std::function<void()> x_hook;
  identity::AsyncMutex x_changing;
};

}  // namespace outcrop::access
