#include "auth/access/access_table.h"

#include "storage/base/log.h"

namespace outcrop::access {

Task<std::unique_ptr<AccessTable>> AccessTable::open(meta::MetaStore& meta,
                                                     const BucketRoots& buckets,
                                                     policy::PublicAccessBlock block_by_default) {
  std::unique_ptr<AccessTable> out(new AccessTable(meta, block_by_default));
  CO_TRYV(co_await out->x_table.load(buckets));
  const auto all = out->x_table.snapshot();
  for (const auto& [bucket, access] : *all) {
    if (access->damaged) {
      log::error(
          "the record of a bucket's policy is damaged: everybody is denied until the root user "
          "deletes the policy or puts it again; then everything public is blocked until the public "
          "access block is set, and the bucket is nobody's until its ACL is put with an Owner",
          {{"bucket", bucket}});
    } else if (access->unreadable()) {
      log::error(
          "a bucket policy cannot be read: everybody is denied; the root user can replace it",
          {{"bucket", bucket}});
    } else if (access->policy) {
      policy::log_unknown_actions(*access->policy, "bucket policy", bucket);
    }
  }
  co_return out;
}

Task<> AccessTable::put(const Held& /*held*/, BucketAccess next) {
  CO_TRYV(co_await x_table.put(std::move(next)));
  changed();
  co_return ok();
}

/// Visible before it is durable: what is left over is erased at the next start.
Task<> AccessTable::forget(const Held& /*held*/, std::string_view bucket) {
  auto forgotten = co_await x_table.forget(bucket);
  if (!forgotten || *forgotten) {
    changed();
  }
  CO_TRYV(std::move(forgotten));
  co_return ok();
}

}  // namespace outcrop::access
