#include "auth/access/access_table.h"

#include "storage/base/log.h"
#include "storage/meta/tables.h"

namespace outcrop::access {
namespace {

constexpr std::size_t kPage = 500;

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

AccessTable::AccessTable(meta::MetaStore& meta, policy::PublicAccessBlock block_by_default)
    : x_meta(meta),
      x_default(block_by_default),
      x_serial(next_serial()),
      x_map(std::make_shared<const Map>()) {}

Task<std::unique_ptr<AccessTable>> AccessTable::open(
    meta::MetaStore& meta,
    const std::vector<std::pair<std::string, InodeId>>& buckets,
    policy::PublicAccessBlock block_by_default) {
  std::unique_ptr<AccessTable> out(new AccessTable(meta, block_by_default));
  CO_TRYV(co_await out->load(buckets));
  co_return out;
}

Task<> AccessTable::load(const std::vector<std::pair<std::string, InodeId>>& buckets) {
  const std::map<std::string, InodeId, std::less<>> roots(buckets.begin(), buckets.end());
  const std::string first = bucket_access_key(0).substr(0, 2);
  const meta::SnapshotPtr at = x_meta.snapshot();
  meta::ScanRequest request{.lower = first, .upper = meta::prefix_end(first), .limit = kPage};
  Map map;
  meta::Batch stale;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request, at));
    for (const meta::KeyValue& record : page.entries) {
      request.lower = record.key + '\0';
      CO_TRY(BucketAccess access, decode_bucket_access(record.key, record.value));
      const auto root = roots.find(access.bucket);
      if (root == roots.end() || root->second != access.root) {
        stale.erase(record.key);
        continue;
      }
      if (access.unreadable()) {
        log::error(
            "a bucket policy cannot be read: everybody is denied; the root user can replace it",
            {{"bucket", access.bucket}});
      }
      std::string name = access.bucket;
      map.emplace(std::move(name), std::make_shared<const BucketAccess>(std::move(access)));
    }
    more = page.more && !page.entries.empty();
  }
  if (!stale.mutations.empty()) {
    CO_TRYV(co_await x_meta.commit(std::move(stale)));
  }
  publish(std::move(map));
  co_return ok();
}

void AccessTable::publish(Map next) {
  auto map = std::make_shared<const Map>(std::move(next));
  {
    const std::lock_guard lock(x_mutex);
    x_map = std::move(map);
    x_version.fetch_add(1, std::memory_order_release);
  }
  if (x_hook) {
    x_hook();
  }
}

std::shared_ptr<const AccessTable::Map> AccessTable::snapshot() const {
  const std::lock_guard lock(x_mutex);
  return x_map;
}

BucketAccessPtr AccessTable::find(std::string_view bucket) const {
  struct Cached {
    std::uint64_t serial = 0, version = 0;
    std::shared_ptr<const Map> map;
  };
  thread_local Cached cached;
  const std::uint64_t version = x_version.load(std::memory_order_acquire);
  if (cached.serial != x_serial || cached.version != version) {
    const std::lock_guard lock(x_mutex);
    cached = {x_serial, x_version.load(std::memory_order_relaxed), x_map};
  }
  const auto at = cached.map->find(bucket);
  return at == cached.map->end() ? nullptr : at->second;
}

Task<> AccessTable::put(const Held& /*held*/, BucketAccess next) {
  Map map = *snapshot();
  meta::Batch batch;
  std::string name = next.bucket;
  const std::string key = bucket_access_key(next.root);
  if (next.empty()) {
    batch.erase(key);
    map.erase(name);
  } else {
    batch.put(key, encode(next));
    map.insert_or_assign(std::move(name), std::make_shared<const BucketAccess>(std::move(next)));
  }
  std::size_t bytes = 0;
  for (const auto& [bucket, access] : map) {
    bytes += access->policy_text.size();
  }
  if (bytes > kMaxPolicyBytesTogether) {
    co_return fail(Errc::no_space, "bucket policies together are too large");
  }
  CO_TRYV(co_await x_meta.commit(std::move(batch)));
  publish(std::move(map));
  co_return ok();
}

Task<> AccessTable::forget(const Held& /*held*/, std::string_view bucket) {
  const BucketAccessPtr old = find(bucket);
  if (!old) {
    co_return ok();
  }
  Map map = *snapshot();
  map.erase(old->bucket);
  publish(std::move(map));
  meta::Batch batch;
  batch.erase(bucket_access_key(old->root));
  co_return co_await x_meta.commit(std::move(batch));
}

}  // namespace outcrop::access
